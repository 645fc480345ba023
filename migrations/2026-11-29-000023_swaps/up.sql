-- Shifts that change hands by consent, what people are told of handoffs, and overrides that a calendar brought.

-- Somebody asks who takes their shifts within a time. Taken, it is an override.
CREATE TABLE shift_swaps (
    id          serial PRIMARY KEY,
    schedule_id integer NOT NULL REFERENCES schedules ON DELETE CASCADE,
    asked_by    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The only one who can take it; null: whoever is of the team.
    asked_of    integer REFERENCES users ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    note        text NOT NULL CHECK (length(note) <= 500),
    -- 1 open, 2 taken, 3 declined, 4 withdrawn. One that is open when its time has ended is past due; nothing is written then.
    state       smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
    taken_by    integer REFERENCES users ON DELETE SET NULL,
    -- Those who have said no; a request to the team goes on without them.
    declined_by integer[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    settled_at  timestamptz,
    CHECK (starts_at < ends_at),
    CHECK (asked_of <> asked_by)
);
CREATE INDEX shift_swaps_schedule ON shift_swaps (schedule_id, ends_at);
CREATE INDEX shift_swaps_asked_by ON shift_swaps (asked_by, created_at);

-- Those that an import made, which the next import replaces.
ALTER TABLE schedule_overrides ADD COLUMN imported boolean NOT NULL DEFAULT false;

-- When a person is told of their shifts. Whoever has no row is told when a shift begins and when it ends.
CREATE TABLE handoff_settings (
    user_id      integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- So many hours before a shift begins.
    before_hours smallint[] NOT NULL CHECK (before_hours <@ '{0,1,12,24}'),
    going_off    boolean NOT NULL
);

-- What was told of handoffs, so that nothing is told twice.
CREATE TABLE handoff_notices (
    schedule_id  integer NOT NULL REFERENCES schedules ON DELETE CASCADE,
    user_id      integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- When the shift begins; of who goes off, when it ends.
    handoff_at   timestamptz NOT NULL,
    goes_off     boolean NOT NULL,
    before_hours smallint NOT NULL,
    told_at      timestamptz NOT NULL,
    PRIMARY KEY (schedule_id, user_id, handoff_at, goes_off, before_hours)
);
CREATE INDEX handoff_notices_at ON handoff_notices (handoff_at);
CREATE INDEX handoff_notices_user ON handoff_notices (user_id);

-- When a team's managers were told last that somebody is missing.
CREATE TABLE gap_warnings (
    schedule_id integer PRIMARY KEY REFERENCES schedules ON DELETE CASCADE,
    told_at     timestamptz NOT NULL
);
