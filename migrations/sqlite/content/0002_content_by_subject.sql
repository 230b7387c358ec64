-- Content is stored and looked for under its subject, and ids are digests: with the subject first, what is stored together
-- stands together, where an index of ids alone is written to all over.

CREATE TABLE content_by_rowid (
    subject    TEXT NOT NULL,
    id         TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    size       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

INSERT INTO content_by_rowid (subject, id, seq, kind, sealed, size, created_at)
SELECT subject, id, seq, kind, sealed, size, created_at FROM content ORDER BY seq;

DROP TABLE content;
ALTER TABLE content_by_rowid RENAME TO content;

CREATE UNIQUE INDEX content_by_subject ON content (subject, id);
