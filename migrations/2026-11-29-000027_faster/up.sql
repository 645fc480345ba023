-- What is read the most of becomes small, or is found by an index of its own.

-- PostgreSQL moves nothing out of rows that are shorter than 2 kB, and an issue's words have half of that: so that each issue which
-- the index names was on a page of its own, almost. Blanks, which take 40 bytes when compressed, make the row long enough for its
-- words to be moved out of it.
ALTER TABLE issue_texts ADD COLUMN blanks text NOT NULL GENERATED ALWAYS AS (repeat(' ', 2048)) STORED;

-- Which tags an event may have: events::tag_bits of the store. Of events that were there before, nothing is known.
ALTER TABLE events ADD COLUMN tag_bits bigint;

-- What is due is looked for by priority.
CREATE INDEX incidents_due_by_priority ON incidents (priority, next_at, id) WHERE next_at IS NOT NULL AND state < 3;
DROP INDEX incidents_due;

-- What waits for a destination, however many messages it has had.
CREATE INDEX notifications_waiting ON notifications (destination_id) WHERE state < 2;
