DELETE FROM incident_log WHERE kind IN (23, 24);
DROP FUNCTION bugle_response_time(integer, integer, smallint);
ALTER TABLE incidents DROP COLUMN respond_by;
ALTER TABLE teams DROP COLUMN response_minutes;
DROP TABLE escalation_turns;
