-- Calendars at an address whose events are overrides of a schedule; one a schedule.

CREATE TABLE schedule_subscriptions (
    schedule_id  integer PRIMARY KEY REFERENCES schedules ON DELETE CASCADE,
    -- Another one after each change and each claim: what was fetched for the one before is not taken.
    revision     bigserial NOT NULL,
    -- A secret: whoever knows it reads the calendar.
    url          text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    -- What is shown of it.
    host         text NOT NULL CHECK (length(host) BETWEEN 1 AND 2048),
    -- Whose events are: names of the calendar, each with a user's id.
    people       jsonb NOT NULL DEFAULT '{}',
    created_by   text NOT NULL CHECK (length(created_by) <= 128),
    created_at   timestamptz NOT NULL,
    -- When it is fetched next; while it is being fetched, when another process may.
    next_at      timestamptz NOT NULL,
    tried_at     timestamptz,
    -- When it was there last, when its text was read last, and when that changed overrides last. imported_at is null until what was imported before
    -- this calendar may end: it names nobody unknown, or somebody has said who they are.
    fetched_at   timestamptz,
    imported_at  timestamptz,
    changed_at   timestamptz,
    -- Of the text that was read last; null: it is to be read again, whether or not it has changed.
    etag         text CHECK (length(etag) <= 256),
    -- Until when its events were taken.
    taken_until  timestamptz,
    -- Since when it cannot be fetched, why, and when the team's managers were told.
    failed_since timestamptz,
    last_error   text CHECK (length(last_error) <= 300),
    told_at      timestamptz,
    -- schedule::UnknownPerson as JSON, and how many events could not be read.
    unknown      jsonb NOT NULL DEFAULT '[]',
    problems     integer NOT NULL DEFAULT 0,
    CHECK ((failed_since IS NULL) = (last_error IS NULL))
);
CREATE INDEX schedule_subscriptions_due ON schedule_subscriptions (next_at);

-- Whom an import had put on call, before the shift was passed on: the next import leaves them out in that time.
ALTER TABLE schedule_overrides ADD COLUMN in_place_of integer REFERENCES users ON DELETE SET NULL;
CREATE INDEX schedule_overrides_in_place_of ON schedule_overrides (in_place_of) WHERE in_place_of IS NOT NULL;
