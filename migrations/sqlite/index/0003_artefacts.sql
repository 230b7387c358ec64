-- What is under change control is found by its name. Records that are indexed already have no such names, so the log is read again.

CREATE TABLE artefacts (
    artefact TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (artefact, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO words (words) VALUES ('delete-all');
DELETE FROM records;
