DELETE FROM incident_log WHERE kind BETWEEN 29 AND 31;
DROP INDEX incidents_key;
DROP INDEX incidents_merged;
DROP INDEX incidents_responders;
ALTER TABLE incidents
    DROP COLUMN merged_into,
    DROP COLUMN page_responders;
DROP TABLE incident_responders;
