-- Whose count holds once a listing that had waited for a person opens: the ledger's or the shop's.
ALTER TABLE listings ADD COLUMN holds TEXT CHECK (holds IN ('ledger', 'shop'));
