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
