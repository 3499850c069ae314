-- What one store told, the newest first; of each status, so that what is rare is found at once.
CREATE INDEX inbox_of_store ON inbox (tenant_id, integration_id, status, received_at, event_id);

-- Customers who agreed to be written to, and all others, in each order of the list.
CREATE INDEX customers_consent ON customers (tenant_id, COALESCE(marketing_consent, FALSE), id);
CREATE INDEX customers_consent_email ON customers
    (tenant_id, COALESCE(marketing_consent, FALSE), COALESCE(email, ''));
CREATE INDEX customers_consent_name ON customers
    (tenant_id, COALESCE(marketing_consent, FALSE), COALESCE(lower(last_name), ''), id);
