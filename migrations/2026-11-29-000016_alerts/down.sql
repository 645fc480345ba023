DELETE FROM notifications WHERE project_id IS NULL AND kind NOT IN (7, 14);
ALTER TABLE notifications
    DROP CONSTRAINT notifications_project_check,
    ADD CONSTRAINT notifications_project_check CHECK (project_id IS NOT NULL OR kind IN (7, 14));

-- What is left of them would be taken for incidents whose issue was deleted.
DELETE FROM incidents WHERE origin <> 1;
DELETE FROM incident_log WHERE kind IN (20, 21);
DROP INDEX incidents_unsilenced;
DROP INDEX incidents_silence;
DROP INDEX incidents_team;
DROP INDEX incidents_source;
DROP INDEX incidents_alert_open;
ALTER TABLE incidents
    DROP CONSTRAINT incidents_owner_check,
    DROP COLUMN silenced_until,
    DROP COLUMN silence_id,
    DROP COLUMN alerts,
    DROP COLUMN links,
    DROP COLUMN labels,
    DROP COLUMN message,
    DROP COLUMN dedup_key,
    DROP COLUMN opened_by,
    DROP COLUMN source_id,
    DROP COLUMN signal,
    DROP COLUMN origin,
    DROP COLUMN team_id,
    ALTER COLUMN project_id SET NOT NULL;
DROP TABLE silences;
DROP TABLE alert_sources;
