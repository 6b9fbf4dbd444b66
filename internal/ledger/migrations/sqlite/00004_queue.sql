-- +goose Up
-- A waiting entry is worked on when it is due.
ALTER TABLE entry ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
CREATE INDEX entry_queue ON entry (run, earlier, due, email) WHERE state = 'waiting';
-- The jobs that stood beside the entries before.
DROP TABLE IF EXISTS river_client_queue;
DROP TABLE IF EXISTS river_client;
DROP TABLE IF EXISTS river_job;
DROP TABLE IF EXISTS river_leader;
DROP TABLE IF EXISTS river_migration;
DROP TABLE IF EXISTS river_notification;
DROP TABLE IF EXISTS river_queue;

-- +goose Down
DROP INDEX entry_queue;
ALTER TABLE entry DROP COLUMN due;
