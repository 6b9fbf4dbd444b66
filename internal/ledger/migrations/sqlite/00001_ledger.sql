-- +goose Up
-- Times are milliseconds since 1970 in UTC, 0 for none.
CREATE TABLE run (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    source   TEXT    NOT NULL,
    operator TEXT    NOT NULL,
    tool     TEXT    NOT NULL,
    started  BIGINT  NOT NULL,
    read     BIGINT  NOT NULL DEFAULT 0,
    finished BIGINT  NOT NULL DEFAULT 0,
    dry_run  BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE entry (
    email    TEXT    NOT NULL PRIMARY KEY, -- in lower case
    address  TEXT    NOT NULL,             -- as the source has it
    origin   TEXT    NOT NULL,
    line     BIGINT  NOT NULL,
    run      BIGINT  NOT NULL,
    revision BIGINT  NOT NULL,             -- counts changes of what is asked for
    state    TEXT    NOT NULL,
    step     TEXT    NOT NULL,
    attempts BIGINT  NOT NULL,
    class    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    message  TEXT    NOT NULL,
    hint     TEXT    NOT NULL,
    warnings TEXT    NOT NULL,             -- a JSON array of texts
    worker   TEXT    NOT NULL,
    updated  BIGINT  NOT NULL,
    earlier  BOOLEAN NOT NULL,
    claim    TEXT    NOT NULL DEFAULT ''   -- the worker that acts for the user now
);
CREATE INDEX entry_by_run ON entry (run, line, email);
CREATE INDEX entry_by_state ON entry (run, state, earlier);

CREATE TABLE pair (
    email       TEXT    NOT NULL,
    place       BIGINT  NOT NULL,
    use         TEXT    NOT NULL,
    leaf        TEXT    NOT NULL, -- SHA-256 of the leaf's DER in hex
    not_after   BIGINT  NOT NULL,
    description TEXT    NOT NULL,
    pkcs7       BLOB    NOT NULL,
    key_pair_id TEXT    NOT NULL,
    created     BOOLEAN NOT NULL,
    PRIMARY KEY (email, place)
);

-- Key pairs that an entry asked for once and does not any more.
CREATE TABLE earlier_pair (
    email       TEXT    NOT NULL,
    run         BIGINT  NOT NULL, -- that no longer asked for it
    replaced    BIGINT  NOT NULL,
    use         TEXT    NOT NULL,
    leaf        TEXT    NOT NULL,
    not_after   BIGINT  NOT NULL,
    description TEXT    NOT NULL,
    key_pair_id TEXT    NOT NULL,
    created     BOOLEAN NOT NULL
);
CREATE INDEX earlier_pair_by_email ON earlier_pair (email);

CREATE TABLE worker (
    id      TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL, -- user@host/process
    started BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE worker;
DROP TABLE earlier_pair;
DROP TABLE pair;
DROP TABLE entry;
DROP TABLE run;
