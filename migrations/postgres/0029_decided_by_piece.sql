-- What was ever found to differ of a piece, from its listings.
CREATE INDEX drifts_of_listing ON drifts (tenant_id, listing_id, id);
