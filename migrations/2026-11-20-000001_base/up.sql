-- The first schema. Times are passed in by the caller; nothing here calls now().

-- Projects and access -------------------------------------------------------------------------------

CREATE TABLE projects (
    id                serial PRIMARY KEY,
    name              text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    -- The first part of an issue's short id: SHOP in SHOP-42.
    prefix            text NOT NULL UNIQUE CHECK (prefix ~ '^[A-Z][A-Z0-9-]{0,31}$'),
    -- model::ProjectSettings as JSON.
    settings          jsonb NOT NULL DEFAULT '{}',
    next_issue_number integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL
);

CREATE TABLE project_keys (
    id         serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    public_key text NOT NULL UNIQUE CHECK (public_key ~ '^[0-9a-f]{32}$'),
    label      text NOT NULL DEFAULT 'default' CHECK (length(label) <= 64),
    enabled    boolean NOT NULL DEFAULT true,
    per_minute integer CHECK (per_minute > 0),
    per_hour   integer CHECK (per_hour > 0),
    created_at timestamptz NOT NULL
);
CREATE INDEX project_keys_project ON project_keys (project_id);

CREATE TABLE api_tokens (
    id           serial PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    -- SHA-256 of the token; the token itself is shown once and never stored.
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz
);

-- The door's snapshot follows these two tables.
CREATE FUNCTION bugle_notify_door() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bugle_door', '');
    RETURN NULL;
END $$;
CREATE TRIGGER projects_door AFTER INSERT OR DELETE OR UPDATE OF settings ON projects
    FOR EACH STATEMENT EXECUTE FUNCTION bugle_notify_door();
CREATE TRIGGER project_keys_door AFTER INSERT OR UPDATE OR DELETE ON project_keys
    FOR EACH STATEMENT EXECUTE FUNCTION bugle_notify_door();

CREATE TABLE releases (
    id         serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    version    text NOT NULL CHECK (octet_length(version) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL,
    UNIQUE (project_id, version)
);

CREATE TABLE environments (
    id         serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    name       text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
    UNIQUE (project_id, name)
);

-- Issues --------------------------------------------------------------------------------------------

CREATE TABLE issues (
    id                  bigserial PRIMARY KEY,
    project_id          integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    number              integer NOT NULL,
    title               text NOT NULL CHECK (length(title) <= 256),
    culprit             text CHECK (length(culprit) <= 512),
    error_type          text CHECK (length(error_type) <= 256),
    platform            text NOT NULL,
    level               smallint NOT NULL CHECK (level IN (10, 20, 30, 40, 50)),
    priority            smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
    -- A person or a client chose the priority: counts no longer raise it.
    priority_chosen     boolean NOT NULL DEFAULT false,
    status              smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 2),
    -- How often it has come back; part of a notification's identity.
    generation          integer NOT NULL DEFAULT 0,
    -- The highest number of events within 24 h that this generation has told of: 0, 10, 100, 1000, 10000.
    threshold           integer NOT NULL DEFAULT 0,
    first_seen          timestamptz NOT NULL,
    -- The minute of the last event, for lists. Exact times and counts are in issue_counts, so that
    -- this index changes at most once a minute per issue.
    active_at           timestamptz NOT NULL,
    -- When the current generation began; null for the first.
    reopened_at         timestamptz,
    first_release_id    integer REFERENCES releases ON DELETE SET NULL,
    resolved_at         timestamptz,
    -- The newest release known when it was resolved: events of older ones do not reopen it.
    resolved_release_id integer REFERENCES releases ON DELETE SET NULL,
    assigned_to         text CHECK (length(assigned_to) <= 128),
    UNIQUE (project_id, number),
    CHECK ((status = 1) = (resolved_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX issues_active ON issues (project_id, active_at DESC, id DESC);

-- Counters that change with each batch: narrow, and under no index but the key (HOT updates).
CREATE TABLE issue_counts (
    issue_id     bigint PRIMARY KEY REFERENCES issues ON DELETE CASCADE,
    events       bigint NOT NULL DEFAULT 0,
    last_seen    timestamptz NOT NULL,
    users        integer NOT NULL DEFAULT 0,
    -- A HyperLogLog sketch once there are more than 1,000 users; until then issue_users is exact.
    users_sketch bytea
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE issue_hashes (
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    hash       bytea NOT NULL CHECK (length(hash) = 16),
    issue_id   bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    algorithm  smallint NOT NULL,
    events     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, hash)
) WITH (fillfactor = 70);
CREATE INDEX issue_hashes_issue ON issue_hashes (issue_id);

CREATE TABLE issue_minutes (
    issue_id bigint NOT NULL,
    minute   timestamptz NOT NULL,
    events   integer NOT NULL,
    PRIMARY KEY (issue_id, minute)
) WITH (fillfactor = 70);

CREATE TABLE issue_hours (
    issue_id bigint NOT NULL,
    hour     timestamptz NOT NULL,
    events   integer NOT NULL,
    PRIMARY KEY (issue_id, hour)
) WITH (fillfactor = 70);

-- "Some event of this issue has this tag". Release and environment are among the keys. At most 200 values a key.
CREATE TABLE issue_tags (
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    key      text NOT NULL CHECK (length(key) <= 200),
    value    text NOT NULL CHECK (length(value) <= 200),
    PRIMARY KEY (issue_id, key, value)
);

CREATE TABLE issue_users (
    issue_id  bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    user_hash bigint NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
);

-- Events --------------------------------------------------------------------------------------------

-- Partitioned by how long it is kept, then by the day it was received. Each leaf has its own unique index
-- on (event_id, project_id): a unique constraint on the parent would have to include the partition key.
CREATE TABLE events (
    received_at    timestamptz NOT NULL,
    issue_id       bigint NOT NULL,
    -- The anchor that the payload is compressed against; null when the payload stands alone.
    anchor_id      bigint,
    user_hash      bigint,
    project_id     integer NOT NULL,
    release_id     integer,
    environment_id integer,
    level          smallint NOT NULL,
    retention      smallint NOT NULL,
    event_id       uuid NOT NULL,
    trace_id       uuid,
    payload        bytea NOT NULL
) PARTITION BY LIST (retention);
-- The payload is compressed already.
ALTER TABLE events ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX events_issue ON events (issue_id, received_at);

CREATE TABLE events_7 PARTITION OF events FOR VALUES IN (7) PARTITION BY RANGE (received_at);
CREATE TABLE events_30 PARTITION OF events FOR VALUES IN (30) PARTITION BY RANGE (received_at);
CREATE TABLE events_90 PARTITION OF events FOR VALUES IN (90) PARTITION BY RANGE (received_at);
CREATE TABLE events_365 PARTITION OF events FOR VALUES IN (365) PARTITION BY RANGE (received_at);

-- Makes the partition of one class and one day (UTC) when it is not there. Returns whether it made it.
-- Made apart and then attached: CREATE TABLE … PARTITION OF would lock the parent against everybody, and wait for
-- the longest reader. Two at once would collide: the caller holds an advisory lock.
CREATE FUNCTION bugle_make_event_partition(class smallint, day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    leaf text := format('events_%s_%s', class, to_char(day, 'YYYYMMDD'));
    parent text := format('events_%s', class);
BEGIN
    IF to_regclass(leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', leaf, parent);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (event_id, project_id)', leaf || '_event', leaf);
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, leaf,
        to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
    RETURN true;
END $$;

-- Events stored alone, for others of the issue to be compressed against.
CREATE TABLE anchors (
    id         bigserial PRIMARY KEY,
    issue_id   bigint NOT NULL,
    created_at timestamptz NOT NULL,
    -- No event received after this day refers to it.
    sealed_on  date NOT NULL,
    -- The last day on which an event that refers to it can still be there.
    expires_on date NOT NULL,
    retention  smallint NOT NULL,
    payload    bytea NOT NULL
);
ALTER TABLE anchors ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX anchors_issue ON anchors (issue_id, id);
CREATE INDEX anchors_expires ON anchors (expires_on);

CREATE TABLE attachments (
    id              bigserial PRIMARY KEY,
    item_id         uuid NOT NULL UNIQUE,
    project_id      integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    event_id        uuid NOT NULL,
    sha256          bytea NOT NULL CHECK (length(sha256) = 32),
    size            bigint NOT NULL CHECK (size BETWEEN 0 AND 20971520),
    filename        text NOT NULL CHECK (length(filename) <= 255),
    content_type    text CHECK (length(content_type) <= 128),
    attachment_type text CHECK (length(attachment_type) <= 64),
    received_at     timestamptz NOT NULL,
    expires_on      date NOT NULL
);
CREATE INDEX attachments_event ON attachments (project_id, event_id);
CREATE INDEX attachments_sha256 ON attachments (sha256);
CREATE INDEX attachments_expires ON attachments (expires_on);

CREATE TABLE feedback (
    id          bigserial PRIMARY KEY,
    item_id     uuid NOT NULL UNIQUE,
    project_id  integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    event_id    uuid,
    name        text CHECK (length(name) <= 128),
    email       text CHECK (length(email) <= 254),
    message     text NOT NULL CHECK (length(message) <= 4096),
    url         text CHECK (length(url) <= 2048),
    received_at timestamptz NOT NULL
);
CREATE INDEX feedback_event ON feedback (project_id, event_id);

-- Notifications -------------------------------------------------------------------------------------

CREATE TABLE destinations (
    id           serial PRIMARY KEY,
    project_id   integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    channel      smallint NOT NULL CHECK (channel BETWEEN 1 AND 4),
    target       text NOT NULL CHECK (length(target) BETWEEN 1 AND 2048),
    min_priority smallint NOT NULL CHECK (min_priority BETWEEN 1 AND 4),
    -- model::DestinationSettings as JSON; holds secrets.
    settings     jsonb NOT NULL DEFAULT '{}',
    enabled      boolean NOT NULL DEFAULT true,
    -- Why it was switched off by Bugle (410 Gone, unknown number, …).
    disabled_reason text,
    -- The circuit breaker: consecutive failures, and until when nothing is sent.
    failures     integer NOT NULL DEFAULT 0,
    open_until   timestamptz,
    created_at   timestamptz NOT NULL
);
CREATE INDEX destinations_project ON destinations (project_id);

CREATE TABLE notifications (
    id             bigserial PRIMARY KEY,
    -- Goes out as webhook-id and in the Message-ID; the same for every attempt.
    message_id     uuid NOT NULL UNIQUE,
    project_id     integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    -- Null for a test or a digest.
    issue_id       bigint REFERENCES issues ON DELETE CASCADE,
    destination_id integer NOT NULL REFERENCES destinations ON DELETE CASCADE,
    kind           smallint NOT NULL CHECK (kind BETWEEN 1 AND 8),
    generation     integer NOT NULL DEFAULT 0,
    priority       smallint NOT NULL CHECK (priority BETWEEN 1 AND 4),
    event_id       uuid,
    environment    text,
    -- When ingest accepted the event: the start of the latency.
    received_at    timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    state          smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 6),
    attempts       integer NOT NULL DEFAULT 0,
    next_at        timestamptz,
    lease_until    timestamptz,
    leased_by      uuid,
    -- When the request of the attempt under way may have left: what makes a crash ambiguous.
    dispatched_at  timestamptz,
    finished_at    timestamptz,
    provider_id    text CHECK (length(provider_id) <= 256),
    error          text CHECK (length(error) <= 2000),
    bundled_into   bigint REFERENCES notifications ON DELETE SET NULL,
    UNIQUE (issue_id, destination_id, kind, generation),
    CONSTRAINT pending_has_a_time CHECK (state <> 0 OR (next_at IS NOT NULL AND lease_until IS NULL AND finished_at IS NULL)),
    CONSTRAINT sending_has_a_lease CHECK (state <> 1 OR (lease_until IS NOT NULL AND leased_by IS NOT NULL AND finished_at IS NULL)),
    CONSTRAINT ended_has_a_time CHECK (state < 2 OR (finished_at IS NOT NULL AND lease_until IS NULL AND next_at IS NULL)),
    CONSTRAINT failed_says_why CHECK (state <> 3 OR error IS NOT NULL)
);
CREATE INDEX notifications_due ON notifications (next_at) WHERE state = 0;
CREATE INDEX notifications_leased ON notifications (lease_until) WHERE state = 1;
CREATE INDEX notifications_destination ON notifications (destination_id, id);
-- What a bundle or digest lists; also keeps ON DELETE SET NULL from scanning the table.
CREATE INDEX notifications_bundled ON notifications (bundled_into) WHERE bundled_into IS NOT NULL;

CREATE TABLE notification_attempts (
    notification_id bigint NOT NULL REFERENCES notifications ON DELETE CASCADE,
    number          integer NOT NULL CHECK (number > 0),
    started_at      timestamptz NOT NULL,
    duration_ms     integer NOT NULL CHECK (duration_ms >= 0),
    -- delivered, retry, failed
    result          text NOT NULL CHECK (result IN ('delivered', 'retry', 'failed')),
    -- The provider's status: an HTTP or SMTP code.
    status          integer,
    -- The provider's answer, cut; never a secret.
    answer          text CHECK (length(answer) <= 2000),
    PRIMARY KEY (notification_id, number)
);

-- Operations ----------------------------------------------------------------------------------------

-- Signals on their way to the broker: one row per transaction and routing key, deleted once confirmed.
CREATE TABLE outbox (
    id          bigserial PRIMARY KEY,
    message_id  uuid NOT NULL,
    routing_key text NOT NULL,
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

CREATE TABLE outcomes (
    hour       timestamptz NOT NULL,
    -- 0 when not known.
    project_id integer NOT NULL,
    key_id     integer NOT NULL,
    outcome    smallint NOT NULL,
    reason     text NOT NULL CHECK (length(reason) <= 64),
    category   text NOT NULL CHECK (length(category) <= 32),
    quantity   bigint NOT NULL,
    PRIMARY KEY (project_id, hour, outcome, reason, category, key_id)
) WITH (fillfactor = 70);

CREATE TABLE service_heartbeats (
    service    text NOT NULL,
    instance   uuid NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    version    text NOT NULL,
    -- What the service says of itself: backlog, spool, last event.
    state      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (service, instance)
);
