DROP INDEX notifications_waiting;
CREATE INDEX incidents_due ON incidents (next_at) WHERE next_at IS NOT NULL;
DROP INDEX incidents_due_by_priority;
ALTER TABLE events DROP COLUMN tag_bits;
