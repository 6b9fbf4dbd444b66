-- +goose Up
-- Where the key of a certificate on a card comes from: imported, or '' where nobody said.
ALTER TABLE card_certificate ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE card_certificate DROP COLUMN origin;
