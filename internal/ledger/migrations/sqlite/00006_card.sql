-- +goose Up
-- Certificates on cards: whose card it is, and what became of it.
CREATE TABLE card_certificate (
    email       TEXT   NOT NULL, -- as the ledger files it
    address     TEXT   NOT NULL,
    serial      BIGINT NOT NULL,
    slot        TEXT   NOT NULL, -- such as 9d; '' where it is not known
    use         TEXT   NOT NULL,
    leaf        TEXT   NOT NULL, -- SHA-256 of the leaf's DER in hex
    not_after   BIGINT NOT NULL,
    key_pair_id TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    since       BIGINT NOT NULL, -- when it was entered first
    changed     BIGINT NOT NULL, -- the state, the slot or the key pair
    PRIMARY KEY (email, serial, leaf)
);
CREATE INDEX card_certificate_by_serial ON card_certificate (serial);

-- Desks of before wrote down the card, and the slot at the end of the description.
INSERT INTO card_certificate (email, address, serial, slot, use, leaf, not_after, key_pair_id, state, reason, since, changed)
SELECT e.email, e.address, CAST(substr(e.origin, 6) AS BIGINT),
       CASE WHEN p.description LIKE '%, slot __' THEN substr(p.description, length(p.description) - 1) ELSE '' END,
       p.use, p.leaf, p.not_after, p.key_pair_id, 'in-use', '', e.updated, e.updated
  FROM entry e JOIN pair p ON p.email = e.email
 WHERE e.step = 'enrolled' AND e.state = 'done' AND e.origin GLOB 'card [1-9]*' AND e.origin NOT GLOB 'card *[^0-9]*';

-- +goose Down
DROP TABLE card_certificate;
