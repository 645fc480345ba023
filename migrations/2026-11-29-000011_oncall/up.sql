-- On-call: who is reached how, who is on call when, and the incidents that page them. Times are passed in by the caller;
-- nothing here calls now(). What is to happen later is a row with a next_at.

-- A person's contact method is a destination without a project: attempts, circuit breaker and rate limit are the same.
ALTER TABLE destinations
    ALTER COLUMN project_id DROP NOT NULL,
    ADD COLUMN user_id integer REFERENCES users ON DELETE CASCADE,
    ADD CONSTRAINT destinations_owner_check CHECK (num_nonnulls(project_id, user_id) = 1);
CREATE INDEX destinations_user ON destinations (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE contact_methods (
    destination_id  integer PRIMARY KEY REFERENCES destinations ON DELETE CASCADE,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- Null: not proven to be theirs, and never paged.
    verified_at     timestamptz,
    -- The code that is under way. Six digits that end soon and after a few tries: the notifier has to read it.
    code            text CHECK (code ~ '^[0-9]{6}$'),
    code_expires_at timestamptz,
    code_tries      smallint NOT NULL DEFAULT 0,
    CHECK ((code IS NULL) = (code_expires_at IS NULL))
);

CREATE TABLE notification_rules (
    id                serial PRIMARY KEY,
    user_id           integer NOT NULL REFERENCES users ON DELETE CASCADE,
    contact_method_id integer NOT NULL REFERENCES contact_methods ON DELETE CASCADE,
    -- Incidents of this priority and of higher ones.
    min_priority      smallint NOT NULL CHECK (min_priority BETWEEN 1 AND 4),
    delay_minutes     integer NOT NULL CHECK (delay_minutes BETWEEN 0 AND 9000),
    created_at        timestamptz NOT NULL,
    UNIQUE (contact_method_id, min_priority, delay_minutes)
);
CREATE INDEX notification_rules_user ON notification_rules (user_id);

CREATE TABLE schedules (
    id         serial PRIMARY KEY,
    team_id    integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- The IANA name of the zone whose wall clock the layers are read from.
    zone       text NOT NULL CHECK (length(zone) BETWEEN 1 AND 64),
    -- schedule::Layer as JSON, from the bottom up.
    layers     jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (team_id, name)
);

CREATE TABLE schedule_overrides (
    id          serial PRIMARY KEY,
    schedule_id integer NOT NULL REFERENCES schedules ON DELETE CASCADE,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    -- schedule::OverrideKind as JSON; applied in the order of the ids.
    kind        jsonb NOT NULL,
    created_by  text NOT NULL CHECK (length(created_by) <= 128),
    created_at  timestamptz NOT NULL,
    CHECK (starts_at < ends_at)
);
CREATE INDEX schedule_overrides_schedule ON schedule_overrides (schedule_id, ends_at);

CREATE TABLE escalation_policies (
    id         serial PRIMARY KEY,
    team_id    integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL,
    UNIQUE (team_id, name)
);

-- Every version that there was: an incident keeps the one that it was triggered with, also when the policy is gone.
CREATE TABLE escalation_policy_versions (
    id         bigserial PRIMARY KEY,
    policy_id  integer REFERENCES escalation_policies ON DELETE SET NULL,
    version    integer NOT NULL CHECK (version > 0),
    -- model::EscalationPolicy as JSON.
    content    jsonb NOT NULL,
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL,
    UNIQUE (policy_id, version)
);

-- Which signals open an incident. The first of a team's that matches, by place and id.
CREATE TABLE routing_rules (
    id           serial PRIMARY KEY,
    team_id      integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    place        integer NOT NULL,
    -- Null: every project of the team.
    project_id   integer REFERENCES projects ON DELETE CASCADE,
    -- Empty: all.
    environments text[] NOT NULL DEFAULT '{}',
    kinds        smallint[] NOT NULL DEFAULT '{}',
    min_priority smallint NOT NULL CHECK (min_priority BETWEEN 1 AND 4),
    -- Refuses to go while a rule leads to it.
    policy_id    integer NOT NULL REFERENCES escalation_policies,
    enabled      boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL
);
CREATE INDEX routing_rules_team ON routing_rules (team_id, place, id);
CREATE INDEX routing_rules_project ON routing_rules (project_id);
CREATE INDEX routing_rules_policy ON routing_rules (policy_id);

CREATE TABLE incidents (
    id                 bigserial PRIMARY KEY,
    project_id         integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    -- Null: the issue was deleted.
    issue_id           bigint REFERENCES issues ON DELETE SET NULL,
    -- The issue's title at that time.
    title              text NOT NULL CHECK (length(title) <= 256),
    rule_id            integer REFERENCES routing_rules ON DELETE SET NULL,
    policy_version_id  bigint NOT NULL REFERENCES escalation_policy_versions,
    priority           smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
    -- triggered, acknowledged, resolved
    state              smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    -- Goes up whenever what is under way is to be thought over anew; every page carries the one that it belongs to.
    generation         integer NOT NULL DEFAULT 1,
    -- The generation in which the policy began at its first step.
    started_generation integer NOT NULL DEFAULT 1,
    -- Where the policy is: how often it was repeated, which step is next, and whether this pass has paged anybody.
    pass               smallint NOT NULL DEFAULT 0,
    step               smallint NOT NULL DEFAULT 0,
    pass_paged         boolean NOT NULL DEFAULT false,
    -- Triggered: when the next step is due; null once all are done. Acknowledged: when that ends; null when never.
    next_at            timestamptz,
    -- To be done at once: who hears of a higher priority only, and who was given it.
    raised_from        smallint CHECK (raised_from BETWEEN 1 AND 3),
    page_assignee      boolean NOT NULL DEFAULT false,
    assigned_user_id   integer REFERENCES users ON DELETE SET NULL,
    event_id           uuid,
    environment        text,
    -- When ingest accepted the event: the start of the latency.
    received_at        timestamptz NOT NULL,
    triggered_at       timestamptz NOT NULL,
    acknowledged_at    timestamptz,
    acknowledged_by    text CHECK (length(acknowledged_by) <= 128),
    -- Acknowledged only until then, by somebody's wish.
    snoozed_until      timestamptz,
    resolved_at        timestamptz,
    resolved_by        text CHECK (length(resolved_by) <= 128),
    CONSTRAINT triggered_is_nobodys CHECK (state <> 1 OR (acknowledged_at IS NULL AND snoozed_until IS NULL AND resolved_at IS NULL)),
    CONSTRAINT acknowledged_has_a_time CHECK (state <> 2 OR (acknowledged_at IS NOT NULL AND resolved_at IS NULL)),
    CONSTRAINT resolved_has_ended CHECK (state <> 3 OR (resolved_at IS NOT NULL AND next_at IS NULL)),
    CONSTRAINT only_triggered_hurries CHECK (state = 1 OR (raised_from IS NULL AND NOT page_assignee)),
    CONSTRAINT generations_go_up CHECK (started_generation BETWEEN 1 AND generation)
);
-- One open incident per issue, whoever asks at the same time.
CREATE UNIQUE INDEX incidents_open ON incidents (issue_id) WHERE state < 3;
CREATE INDEX incidents_due ON incidents (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX incidents_hurry ON incidents (id) WHERE raised_from IS NOT NULL OR page_assignee;
CREATE INDEX incidents_project ON incidents (project_id, id);
CREATE INDEX incidents_issue ON incidents (issue_id);
CREATE INDEX incidents_version ON incidents (policy_version_id);

-- Signals that were taken for incidents: one that is delivered again opens no second one.
CREATE TABLE incident_signals (
    issue_id    bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    kind        smallint NOT NULL,
    generation  integer NOT NULL,
    incident_id bigint REFERENCES incidents ON DELETE SET NULL,
    PRIMARY KEY (issue_id, kind, generation)
);
CREATE INDEX incident_signals_incident ON incident_signals (incident_id);

-- Steps that paged somebody, and whom: a higher priority pages nobody again.
CREATE TABLE incident_steps (
    incident_id bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    generation  integer NOT NULL,
    pass        smallint NOT NULL,
    -- From 0; -1 is the fallback, -2 who it was given to.
    step        smallint NOT NULL,
    recipients  integer[] NOT NULL,
    fired_at    timestamptz NOT NULL,
    PRIMARY KEY (incident_id, generation, pass, step)
);

-- What a page belongs to. Its state, attempts and time are the notification's.
CREATE TABLE incident_pages (
    notification_id bigint PRIMARY KEY REFERENCES notifications ON DELETE CASCADE,
    incident_id     bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    generation      integer NOT NULL,
    pass            smallint NOT NULL,
    step            smallint NOT NULL,
    user_id         integer REFERENCES users ON DELETE SET NULL
);
CREATE INDEX incident_pages_incident ON incident_pages (incident_id);

CREATE TABLE incident_log (
    id          bigserial PRIMARY KEY,
    incident_id bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    generation  integer NOT NULL,
    kind        smallint NOT NULL,
    -- Null: the engine.
    actor       text CHECK (length(actor) <= 128),
    data        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX incident_log_incident ON incident_log (incident_id, id);

-- 13: a page. 14: the code of a contact method, which belongs to no project.
ALTER TABLE notifications
    ALTER COLUMN project_id DROP NOT NULL,
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check CHECK (kind BETWEEN 1 AND 14),
    ADD CONSTRAINT notifications_project_check CHECK (project_id IS NOT NULL OR kind IN (7, 14));
