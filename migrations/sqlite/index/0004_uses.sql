-- What of each grant is used is counted as records come in, and an agent's rare records are found without its calls. Records that are
-- indexed already were not counted, so the log is read again.

CREATE TABLE uses (
    grant_id  TEXT NOT NULL,
    operation TEXT NOT NULL,
    calls     INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (grant_id, operation)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_by_agent_rarely ON records (agent)
    WHERE agent IS NOT NULL AND kind NOT IN ('ActionAllowed', 'OutcomeRecorded');

INSERT INTO words (words) VALUES ('delete-all');
DELETE FROM artefacts;
DELETE FROM records;
