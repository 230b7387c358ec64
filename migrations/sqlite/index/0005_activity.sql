-- How many calls were decided in which way, in steps of five minutes: of everybody under the empty name, and of each agent. So nobody
-- who looks at a day has to count its records. What is indexed already is counted here, once.

CREATE TABLE activity (
    agent   TEXT NOT NULL,
    step    INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (agent, step, outcome)
) STRICT, WITHOUT ROWID;

INSERT INTO activity (agent, step, outcome, calls)
    SELECT '', at / 300000, outcome, count(*) FROM records WHERE outcome IN ('allowed', 'asked', 'denied') GROUP BY 2, 3;
INSERT INTO activity (agent, step, outcome, calls)
    SELECT agent, at / 300000, outcome, count(*) FROM records
    WHERE agent IS NOT NULL AND outcome IN ('allowed', 'asked', 'denied') GROUP BY 1, 2, 3;
