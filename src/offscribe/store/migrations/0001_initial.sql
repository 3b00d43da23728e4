-- Jobs are leased, never popped. A job and the record it makes share one id.
CREATE TABLE jobs (
  seq            INTEGER PRIMARY KEY,             -- order of arrival
  id             TEXT NOT NULL UNIQUE,
  kind           TEXT NOT NULL CHECK (kind IN ('transcribe', 'vad')),
  state          TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  stage          TEXT,                            -- finer than state, for people
  name           TEXT NOT NULL,                   -- the person's own file name
  source         TEXT NOT NULL,                   -- page, api or cli
  audio_path     TEXT NOT NULL,                   -- relative to the home when it lies inside
  size_bytes     INTEGER NOT NULL,
  model          TEXT NOT NULL,
  options        TEXT NOT NULL,                   -- JSON of RecognizeOptions
  created_at     REAL NOT NULL,                   -- UTC, seconds since 1970, like every *_at
  started_at     REAL,
  finished_at    REAL,
  language       TEXT,                            -- heard or given; fixed once known
  duration       REAL,                            -- seconds of audio, once known
  done           REAL NOT NULL DEFAULT 0,         -- seconds of audio whose segments are stored
  run_started_at REAL,                            -- of the present lease: speed counts from here
  run_from       REAL NOT NULL DEFAULT 0,
  lease_owner    TEXT,
  lease_until    REAL,
  workers_lost   INTEGER NOT NULL DEFAULT 0,
  warnings       TEXT NOT NULL DEFAULT '[]',      -- JSON list of sentences
  error          TEXT,                            -- JSON {code, message, hint}
  result         TEXT                             -- JSON; the answer of kinds that make no record
);
CREATE INDEX jobs_by_state ON jobs (state, seq);

CREATE TABLE segments (
  job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  idx      INTEGER NOT NULL,
  start    REAL NOT NULL,
  end      REAL NOT NULL,
  text     TEXT NOT NULL,
  itn_text TEXT NOT NULL,
  words    TEXT,                                  -- JSON [[text, start, end], …] or NULL
  PRIMARY KEY (job_id, idx)
) WITHOUT ROWID;

CREATE TABLE records (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  source     TEXT NOT NULL,
  audio_path TEXT NOT NULL,
  created_at REAL NOT NULL,
  duration   REAL NOT NULL,
  language   TEXT NOT NULL,
  model      TEXT NOT NULL,
  options    TEXT NOT NULL,
  warnings   TEXT NOT NULL,
  text       TEXT NOT NULL,
  itn_text   TEXT NOT NULL,
  deleted_at REAL                                 -- in the trash since; purged later
);
CREATE INDEX records_present ON records (created_at DESC, seq DESC) WHERE deleted_at IS NULL;
CREATE INDEX records_trash ON records (deleted_at) WHERE deleted_at IS NOT NULL;

-- Holds folded text (offscribe.text.fold); rowid = records.seq. Contentless: to take a row out,
-- FTS5 must be given the same folded text again.
CREATE VIRTUAL TABLE records_index USING fts5 (
  name, text, itn_text, content = '', tokenize = "unicode61 remove_diacritics 2"
);
