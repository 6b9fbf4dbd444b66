-- +goose Up
-- Which CHUID a card was seen with last: Windows takes two cards with one CHUID for the same.
CREATE TABLE card_chuid (
    serial BIGINT NOT NULL PRIMARY KEY,
    chuid  TEXT COLLATE "C" NOT NULL, -- SHA-256 of the object's contents in hex
    seen   BIGINT NOT NULL
);
CREATE INDEX card_chuid_by_chuid ON card_chuid (chuid);

-- +goose Down
DROP TABLE card_chuid;
