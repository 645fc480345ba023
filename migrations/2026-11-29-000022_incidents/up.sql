-- Incidents in depth: who else was asked to help, incidents that became part of another one, and what keeps one silent besides a silence.
-- Times are passed in by the caller.

-- Who was asked to help with an incident, besides whom its policy pages.
CREATE TABLE incident_responders (
    incident_id  bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    user_id      integer NOT NULL REFERENCES users ON DELETE CASCADE,
    requested_by text NOT NULL CHECK (length(requested_by) <= 128),
    requested_at timestamptz NOT NULL,
    -- Not paged yet.
    waits        boolean NOT NULL DEFAULT true,
    -- Since when they help.
    joined_at    timestamptz,
    PRIMARY KEY (incident_id, user_id)
);
CREATE INDEX incident_responders_user ON incident_responders (user_id);

ALTER TABLE incidents
    -- Some of its responders are to be paged at once, whether or not somebody has answered.
    ADD COLUMN page_responders boolean NOT NULL DEFAULT false,
    -- What it became part of; never one that became part of another one itself.
    ADD COLUMN merged_into     bigint REFERENCES incidents ON DELETE SET NULL;
CREATE INDEX incidents_responders ON incidents (id) WHERE page_responders AND state < 3;
CREATE INDEX incidents_merged ON incidents (merged_into) WHERE merged_into IS NOT NULL;
-- The incidents of a deduplication key, also those that have ended.
CREATE INDEX incidents_key ON incidents (source_id, dedup_key, triggered_at) WHERE source_id IS NOT NULL;

-- While an incident of the team that the source matches is open, one that the target matches is opened without paging anybody.
CREATE TABLE inhibition_rules (
    id         serial PRIMARY KEY,
    team_id    integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- model::SilenceMatchers as JSON.
    source     jsonb NOT NULL,
    target     jsonb NOT NULL,
    -- Labels, or project or environment, that both must have alike.
    equal      text[] NOT NULL,
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL,
    UNIQUE (team_id, name)
);

ALTER TABLE incidents
    -- Silenced, and without a silence: this incident keeps it silent.
    ADD COLUMN inhibited_by   bigint REFERENCES incidents ON DELETE SET NULL,
    -- It was opened while its issue or key had too many incidents.
    ADD COLUMN flapping       boolean NOT NULL DEFAULT false,
    -- Then nobody is paged before; null for the one with which that began, and for one that has become more urgent since.
    ADD COLUMN flapping_until timestamptz;
CREATE INDEX incidents_inhibited ON incidents (inhibited_by) WHERE inhibited_by IS NOT NULL;

-- Pages that can wait, put together into one message.
ALTER TABLE notification_rules
    -- Incidents up to this priority; null: all from min_priority on.
    ADD COLUMN max_priority smallint CHECK (max_priority BETWEEN 1 AND 4),
    -- hourly, daily; null: each page by itself, when it is due.
    ADD COLUMN digest       smallint CHECK (digest BETWEEN 1 AND 2),
    ADD CONSTRAINT priorities_are_a_range CHECK (max_priority >= min_priority);
ALTER TABLE incident_pages ADD COLUMN digest boolean NOT NULL DEFAULT false;
