-- A store's runs, the newest first; a sweep only where it found something or is held up. Nothing else is found by this,
-- so that what is under way is looked for among that alone.
CREATE INDEX sync_runs_told ON sync_runs (tenant_id, integration_id, id)
    WHERE kind <> 'sweep' OR synced > 0 OR skipped > 0 OR failed > 0 OR error IS NOT NULL;

-- What a run found, as its report lists it.
CREATE INDEX run_findings_by_outcome
    ON run_findings (tenant_id, run_id, outcome, resource, remote_id);

-- Which of a store's runs somebody has in hand.
CREATE INDEX sync_runs_in_hand ON sync_runs (tenant_id, integration_id, leased_until)
    WHERE finished_at IS NULL;
