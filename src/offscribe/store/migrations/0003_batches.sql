-- Many recordings asked for together.
CREATE TABLE batches (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  source     TEXT NOT NULL,
  created_at REAL NOT NULL
);

ALTER TABLE jobs ADD COLUMN batch_id TEXT REFERENCES batches (id);
ALTER TABLE jobs ADD COLUMN batch_index INTEGER;          -- place in the order of asking, from 0
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;   -- higher goes first
ALTER TABLE jobs ADD COLUMN position REAL NOT NULL DEFAULT 0;      -- then lower, then seq
ALTER TABLE jobs ADD COLUMN paused_at REAL;               -- of a waiting job: nobody leases it
ALTER TABLE jobs ADD COLUMN sha256 TEXT;                  -- of the file, where it was read
ALTER TABLE jobs ADD COLUMN modified_ns INTEGER;          -- of a file that stays where it is
ALTER TABLE jobs ADD COLUMN reuses INTEGER NOT NULL DEFAULT 0;     -- 1: take an equal record
ALTER TABLE jobs ADD COLUMN record_id TEXT;               -- the record it took; NULL: its own
ALTER TABLE jobs ADD COLUMN busy_s REAL NOT NULL DEFAULT 0;        -- of leases that ended
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 0;    -- of the row, see changes

CREATE INDEX jobs_queue ON jobs (priority DESC, position, seq)
  WHERE state = 'waiting' AND paused_at IS NULL;
CREATE INDEX jobs_by_batch ON jobs (batch_id, batch_index) WHERE batch_id IS NOT NULL;
CREATE INDEX jobs_by_version ON jobs (version);
CREATE INDEX jobs_by_sha256 ON jobs (sha256) WHERE state = 'done';

-- Each change that people can see gives its row the next number, so that whoever knows how far
-- they have read can ask for what came since, also after a restart.
CREATE TABLE changes (last INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  UPDATE changes SET last = last + 1;
  UPDATE jobs SET version = (SELECT last FROM changes) WHERE seq = NEW.seq;
END;
CREATE TRIGGER jobs_changed AFTER UPDATE OF
  state, stage, done, duration, language, model, options, priority, position, paused_at ON jobs
BEGIN
  UPDATE changes SET last = last + 1;
  UPDATE jobs SET version = (SELECT last FROM changes) WHERE seq = NEW.seq;
END;
