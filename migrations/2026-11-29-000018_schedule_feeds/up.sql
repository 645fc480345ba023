-- Secret links by which calendar programs read a schedule; one a person.

CREATE TABLE schedule_feeds (
    schedule_id integer NOT NULL REFERENCES schedules ON DELETE CASCADE,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The SHA-256 of the secret.
    token_hash  bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- Only the person's own shifts.
    only_mine   boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (schedule_id, user_id)
);
CREATE INDEX schedule_feeds_user ON schedule_feeds (user_id);
