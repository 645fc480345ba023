DELETE FROM notifications WHERE kind > 12 OR project_id IS NULL;
ALTER TABLE notifications
    DROP CONSTRAINT notifications_project_check,
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check CHECK (kind BETWEEN 1 AND 12),
    ALTER COLUMN project_id SET NOT NULL;

DROP TABLE incident_log;
DROP TABLE incident_pages;
DROP TABLE incident_steps;
DROP TABLE incident_signals;
DROP TABLE incidents;
DROP TABLE routing_rules;
DROP TABLE escalation_policy_versions;
DROP TABLE escalation_policies;
DROP TABLE schedule_overrides;
DROP TABLE schedules;
DROP TABLE notification_rules;
DROP TABLE contact_methods;

DELETE FROM destinations WHERE project_id IS NULL;
DROP INDEX destinations_user;
ALTER TABLE destinations
    DROP CONSTRAINT destinations_owner_check,
    DROP COLUMN user_id,
    ALTER COLUMN project_id SET NOT NULL;
