-- +goose Up
-- Ids of other enabled key pairs that Gmail has for the same certificate, with
-- blanks between them: of a card, and those whose private key is in a key service.
ALTER TABLE pair ADD COLUMN superfluous TEXT NOT NULL DEFAULT '';
ALTER TABLE pair ADD COLUMN in_key_service TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE pair DROP COLUMN superfluous;
ALTER TABLE pair DROP COLUMN in_key_service;
