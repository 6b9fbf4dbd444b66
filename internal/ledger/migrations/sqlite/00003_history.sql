-- +goose Up
-- What became of a user in a run, when a later run or a desk took the user over;
-- pairs is a JSON array.
CREATE TABLE past_entry (
    run         BIGINT  NOT NULL,
    email       TEXT   NOT NULL,
    address     TEXT    NOT NULL,
    origin      TEXT    NOT NULL,
    line        BIGINT  NOT NULL,
    state       TEXT    NOT NULL,
    step        TEXT    NOT NULL,
    attempts    BIGINT  NOT NULL,
    class       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    hint        TEXT    NOT NULL,
    warnings    TEXT    NOT NULL,
    worker      TEXT    NOT NULL,
    updated     BIGINT  NOT NULL,
    earlier     BOOLEAN NOT NULL,
    pairs       TEXT    NOT NULL,
    superfluous BOOLEAN NOT NULL, -- whether a pair has superfluous ones
    PRIMARY KEY (run, email)
);
CREATE INDEX past_entry_by_line ON past_entry (run, line, email);
CREATE INDEX past_entry_by_state ON past_entry (run, state, earlier);

-- Everybody whom a run's source had, whoever has the user now.
-- +goose StatementBegin
CREATE VIEW run_entry AS
SELECT run, email, address, origin, line, revision, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier,
       '' AS pairs, EXISTS (SELECT 1 FROM pair WHERE pair.email = entry.email AND pair.superfluous <> '') AS superfluous, FALSE AS taken_over
  FROM entry
UNION ALL
SELECT run, email, address, origin, line, 0, state, step, attempts, class, reason, message, hint, warnings, worker, updated, earlier,
       pairs, superfluous, TRUE
  FROM past_entry;
-- +goose StatementEnd

-- Runs of before have lost the users whom later runs took over.
ALTER TABLE run ADD COLUMN whole BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE run DROP COLUMN whole;
DROP VIEW run_entry;
DROP TABLE past_entry;
