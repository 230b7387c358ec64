-- What is rare of one person or of one operation is found without all else of theirs, and without all else of its kind. Only rare records
-- pay for it.

CREATE INDEX records_by_person_rarely ON records (person, kind)
    WHERE person IS NOT NULL AND kind NOT IN ('ActionAllowed', 'OutcomeRecorded');
CREATE INDEX records_by_operation_rarely ON records (operation, kind)
    WHERE operation IS NOT NULL AND kind NOT IN ('ActionAllowed', 'OutcomeRecorded');
