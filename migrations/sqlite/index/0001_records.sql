-- Search over records. Rebuilt from the log when it is missing or behind; nothing is decided from it.

CREATE TABLE records (
    seq       INTEGER PRIMARY KEY NOT NULL,
    at        INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    agent     TEXT,
    task      TEXT,
    person    TEXT,
    operation TEXT,
    action    TEXT,
    approval  TEXT,
    outcome   TEXT,
    text      TEXT NOT NULL
) STRICT;

-- Each index ends with the row's seq, so the newest records of one agent, say, are read in order and no further.
CREATE INDEX records_by_at ON records (at);
CREATE INDEX records_by_kind ON records (kind);
CREATE INDEX records_by_agent ON records (agent) WHERE agent IS NOT NULL;
CREATE INDEX records_by_task ON records (task) WHERE task IS NOT NULL;
CREATE INDEX records_by_person ON records (person) WHERE person IS NOT NULL;
CREATE INDEX records_by_operation ON records (operation) WHERE operation IS NOT NULL;
CREATE INDEX records_by_action ON records (action) WHERE action IS NOT NULL;
CREATE INDEX records_by_approval ON records (approval) WHERE approval IS NOT NULL;
CREATE INDEX records_by_outcome ON records (outcome) WHERE outcome IS NOT NULL;

CREATE VIRTUAL TABLE words USING fts5 (text, content = 'records', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2');
