-- +goose Up
-- What people changed by hand of what Gmail has: noted before it is asked of Gmail, and
-- again with what came of it.
CREATE TABLE action (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    email    TEXT   NOT NULL, -- as the ledger files it
    address  TEXT   NOT NULL,
    verb     TEXT   NOT NULL,
    object   TEXT   NOT NULL,
    operator TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    started  BIGINT NOT NULL,
    ended    BIGINT NOT NULL DEFAULT 0,
    outcome  TEXT   NOT NULL DEFAULT '',
    message  TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX action_by_email ON action (email, id);

-- +goose Down
DROP TABLE action;
