ALTER TABLE incident_pages DROP COLUMN digest;
-- What was for less urgent incidents only must not page for all of them.
DELETE FROM notification_rules WHERE max_priority IS NOT NULL OR digest IS NOT NULL;
ALTER TABLE notification_rules
    DROP CONSTRAINT priorities_are_a_range,
    DROP COLUMN digest,
    DROP COLUMN max_priority;
DELETE FROM incident_log WHERE kind BETWEEN 29 AND 33;
DROP INDEX incidents_inhibited;
DROP INDEX incidents_key;
DROP INDEX incidents_merged;
DROP INDEX incidents_responders;
ALTER TABLE incidents
    DROP COLUMN flapping_until,
    DROP COLUMN flapping,
    DROP COLUMN inhibited_by,
    DROP COLUMN merged_into,
    DROP COLUMN page_responders;
DROP TABLE inhibition_rules;
DROP TABLE incident_responders;
