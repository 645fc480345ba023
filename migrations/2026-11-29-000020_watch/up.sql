-- The figures of on-call are read by time: what became of pages, and incidents by when they were triggered.
CREATE INDEX notifications_pages ON notifications (finished_at) WHERE kind = 13;
CREATE INDEX incidents_triggered ON incidents (triggered_at);

-- Errors that Bugle sends itself, to see whether they come out as messages. Few, and gone after a day.
CREATE TABLE canary_rounds (
    event_id   uuid PRIMARY KEY,
    sent_at    timestamptz NOT NULL,
    -- Null: its message has not come.
    arrived_at timestamptz
);
CREATE INDEX canary_rounds_sent ON canary_rounds (sent_at);
