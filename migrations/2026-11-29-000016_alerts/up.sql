-- Incidents that do not come from an issue (alerts of other tools, and people), and silences. Times are passed in by the caller.

-- A tool that tells of alerts. Only the SHA-256 of its key is kept.
CREATE TABLE alert_sources (
    id               serial PRIMARY KEY,
    team_id          integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- alertmanager, pagerduty, generic: the form in which it tells.
    kind             smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    -- What its alerts are about; null: the team as such. Counts as long as the project is the team's.
    project_id       integer REFERENCES projects ON DELETE SET NULL,
    -- Refuses to go while a source leads to it.
    policy_id        integer NOT NULL REFERENCES escalation_policies,
    default_priority smallint NOT NULL CHECK (default_priority BETWEEN 1 AND 4),
    key_hash         bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    created_by       text NOT NULL CHECK (length(created_by) <= 128),
    created_at       timestamptz NOT NULL,
    -- To the minute: whether it works, and what was wrong with what it told last.
    last_alert_at    timestamptz,
    last_error_at    timestamptz,
    last_error       text CHECK (length(last_error) <= 1000),
    UNIQUE (team_id, name)
);
CREATE INDEX alert_sources_project ON alert_sources (project_id);
CREATE INDEX alert_sources_policy ON alert_sources (policy_id);

-- While one matches, an incident is opened without paging anybody.
CREATE TABLE silences (
    id         serial PRIMARY KEY,
    team_id    integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    -- model::SilenceMatchers as JSON.
    matchers   jsonb NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    -- schedule::Weekly as JSON; null: all the time from start to end.
    recurrence jsonb,
    comment    text NOT NULL CHECK (length(comment) BETWEEN 1 AND 1000),
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL,
    CHECK (starts_at < ends_at)
);
CREATE INDEX silences_team ON silences (team_id, ends_at);

ALTER TABLE incidents
    ALTER COLUMN project_id DROP NOT NULL,
    -- Of an incident without a project; one with a project is its team's.
    ADD COLUMN team_id        integer REFERENCES teams ON DELETE CASCADE,
    -- issue, alert, person
    ADD COLUMN origin         smallint NOT NULL DEFAULT 1 CHECK (origin BETWEEN 1 AND 3),
    -- The kind of the signal that opened it; null: none did.
    ADD COLUMN signal         smallint,
    -- Null: no alert opened it, or its source was removed.
    ADD COLUMN source_id      integer REFERENCES alert_sources ON DELETE SET NULL,
    -- The name of the source, or of the person, at that time.
    ADD COLUMN opened_by      text CHECK (length(opened_by) <= 128),
    ADD COLUMN dedup_key      text CHECK (length(dedup_key) BETWEEN 1 AND 255),
    ADD COLUMN message        text CHECK (length(message) <= 10000),
    -- Names and values as an object of texts; model::AlertLink as a list.
    ADD COLUMN labels         jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN links          jsonb NOT NULL DEFAULT '[]',
    -- How many alerts it has had.
    ADD COLUMN alerts         integer NOT NULL DEFAULT 0,
    -- Triggered: nobody is paged before that time, which is its next_at too, because of this silence. Null: it was removed, and
    -- it is looked at again at once.
    ADD COLUMN silence_id     integer REFERENCES silences ON DELETE SET NULL,
    ADD COLUMN silenced_until timestamptz,
    ADD CONSTRAINT incidents_owner_check CHECK (num_nonnulls(project_id, team_id) = 1);
-- One open incident per source and deduplication key, however many tell of it at the same time.
CREATE UNIQUE INDEX incidents_alert_open ON incidents (source_id, dedup_key) WHERE state < 3 AND source_id IS NOT NULL;
CREATE INDEX incidents_source ON incidents (source_id) WHERE source_id IS NOT NULL;
CREATE INDEX incidents_team ON incidents (team_id, id) WHERE team_id IS NOT NULL;
CREATE INDEX incidents_silence ON incidents (silence_id) WHERE silence_id IS NOT NULL;
CREATE INDEX incidents_unsilenced ON incidents (id) WHERE silenced_until IS NOT NULL AND silence_id IS NULL AND state = 1;

-- A page of an incident without a project has none either.
ALTER TABLE notifications
    DROP CONSTRAINT notifications_project_check,
    ADD CONSTRAINT notifications_project_check CHECK (project_id IS NOT NULL OR kind IN (7, 13, 14));
