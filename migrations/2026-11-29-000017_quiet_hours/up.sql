-- When a person's pages wait: parts of the week, by the clock of the zone of their account.

CREATE TABLE quiet_hours (
    user_id        integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- Restrictions as of layers of schedules.
    hours          jsonb NOT NULL CHECK (jsonb_typeof(hours) = 'array'),
    -- This priority and higher ones do not wait; null: all do.
    breaks_through smallint CHECK (breaks_through BETWEEN 1 AND 4)
);

-- When the page would have left, had it not been for quiet hours; null for one that they did not hold.
ALTER TABLE incident_pages ADD COLUMN wanted_at timestamptz;
