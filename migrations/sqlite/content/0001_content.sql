-- Sealed payloads and the wrapped keys that open them. Everything here may be erased; the log proves without it.

CREATE TABLE keys (
    subject    TEXT PRIMARY KEY NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE content (
    id         TEXT PRIMARY KEY NOT NULL,
    subject    TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    size       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Erasing goes by subject; a page about a record goes by seq.
CREATE INDEX content_by_subject ON content (subject);
CREATE INDEX content_by_seq ON content (seq);

-- How far each effect of committed events has been carried out.
CREATE TABLE outbox_cursor (
    name TEXT PRIMARY KEY NOT NULL,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
