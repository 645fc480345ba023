-- Which tags an event may have: events::tag_bits of the store. Of events that were there before, nothing is known.
ALTER TABLE events ADD COLUMN tag_bits bigint;

-- What is due is looked for by priority.
CREATE INDEX incidents_due_by_priority ON incidents (priority, next_at, id) WHERE next_at IS NOT NULL AND state < 3;
DROP INDEX incidents_due;

-- What waits for a destination, however many messages it has had.
CREATE INDEX notifications_waiting ON notifications (destination_id) WHERE state < 2;
