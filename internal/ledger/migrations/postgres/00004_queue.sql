-- +goose Up
-- A waiting entry is worked on when it is due.
ALTER TABLE entry ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
CREATE INDEX entry_queue ON entry (run, earlier, due, email) WHERE state = 'waiting';
-- The jobs that stood beside the entries before. River's tables stay: another program
-- may have jobs there.
-- +goose StatementBegin
DO $$ BEGIN
    IF to_regclass('river_job') IS NOT NULL THEN
        DELETE FROM river_job WHERE queue = 'register';
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX entry_queue;
ALTER TABLE entry DROP COLUMN due;
