DROP TABLE incident_messages;
DROP INDEX incidents_unresolved;
DROP TABLE replies;
ALTER TABLE notifications DROP COLUMN delivery_code, DROP COLUMN delivery;
