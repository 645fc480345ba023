-- People, teams and what they may do. Times are passed in by the caller; nothing here calls now().
-- Every secret that proves something (session, link, token, recovery code) is kept as its SHA-256.

CREATE TABLE users (
    id            serial PRIMARY KEY,
    email         text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    -- argon2id in PHC form; null: cannot sign in with a password.
    password_hash text CHECK (length(password_hash) <= 512),
    role          text NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    time_zone     text NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64),
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE teams (
    id         serial PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL
);

CREATE TABLE memberships (
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    team_id    integer NOT NULL REFERENCES teams ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('viewer', 'member', 'manager')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, team_id)
);
CREATE INDEX memberships_team ON memberships (team_id);

-- Null: of before there were teams. Only admins and tokens without a team see it.
ALTER TABLE projects ADD COLUMN team_id integer REFERENCES teams;
CREATE INDEX projects_team ON projects (team_id);

-- Tokens of before keep full access.
ALTER TABLE api_tokens
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{read,triage,write,admin}'
        CHECK (scopes <@ ARRAY['read', 'triage', 'write', 'admin'] AND cardinality(scopes) BETWEEN 1 AND 4),
    ADD COLUMN team_id integer REFERENCES teams ON DELETE CASCADE,
    -- Who made it, when it was a person: it ends with them.
    ADD COLUMN created_by integer REFERENCES users ON DELETE CASCADE;
CREATE INDEX api_tokens_team ON api_tokens (team_id);
CREATE INDEX api_tokens_created_by ON api_tokens (created_by);

CREATE TABLE sessions (
    id           serial PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    user_id      integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at   timestamptz NOT NULL,
    -- To the minute.
    last_seen_at timestamptz NOT NULL,
    -- The absolute end; the idle one is counted from last_seen_at.
    expires_at   timestamptz NOT NULL,
    address      text NOT NULL CHECK (length(address) <= 64),
    user_agent   text NOT NULL CHECK (length(user_agent) <= 256)
);
CREATE INDEX sessions_user ON sessions (user_id);

-- While nobody can sign in: what the first link proves.
CREATE TABLE setup_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL
);

CREATE TABLE invitations (
    id         serial PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    email      text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role       text NOT NULL CHECK (role IN ('member', 'admin')),
    team_id    integer REFERENCES teams ON DELETE CASCADE,
    team_role  text CHECK (team_role IN ('viewer', 'member', 'manager')),
    -- The inviter's name, as the invited are told it.
    invited_by text NOT NULL CHECK (length(invited_by) <= 128),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CHECK ((team_id IS NULL) = (team_role IS NULL))
);
CREATE INDEX invitations_team ON invitations (team_id);

CREATE TABLE password_resets (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);

CREATE TABLE second_factors (
    user_id      integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- The shared secret of RFC 6238, 160 bits.
    secret       bytea NOT NULL CHECK (length(secret) = 20),
    -- Null until a first code proved that the device has it.
    confirmed_at timestamptz,
    -- The step of the last code taken: no code is taken twice.
    last_step    bigint NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
    user_id   integer NOT NULL REFERENCES second_factors ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);

-- Failures in a row, per account and per address. What was tried is kept as a hash only.
CREATE TABLE login_attempts (
    kind          text NOT NULL CHECK (kind IN ('account', 'address', 'reset', 'reset_address')),
    subject       bytea NOT NULL CHECK (length(subject) = 32),
    failures      integer NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX login_attempts_last ON login_attempts (last_at);

-- Mails of accounts on their way to the notifier. A row holds a link that works: it is deleted once it is sent.
CREATE TABLE account_mails (
    id          bigserial PRIMARY KEY,
    message_id  uuid NOT NULL UNIQUE,
    kind        text NOT NULL CHECK (kind IN ('invitation', 'password_reset')),
    recipient   text NOT NULL CHECK (length(recipient) <= 254),
    -- What the text names: the inviter.
    about       text NOT NULL CHECK (length(about) <= 256),
    link        text NOT NULL CHECK (length(link) <= 2048),
    created_at  timestamptz NOT NULL,
    -- Of no use afterwards.
    expires_at  timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL
);
CREATE INDEX account_mails_due ON account_mails (next_at);

-- Who changed what. Names and ids are kept as they were: no foreign keys, nothing cascades into it.
CREATE TABLE audit_log (
    id          bigserial PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('user', 'token', 'system')),
    actor_id    integer,
    actor_name  text NOT NULL CHECK (length(actor_name) <= 128),
    action      text NOT NULL CHECK (action ~ '^[a-z_]{1,32}\.[a-z_]{1,32}$'),
    target_kind text NOT NULL CHECK (length(target_kind) <= 32),
    target_id   text NOT NULL CHECK (length(target_id) <= 64),
    target_name text NOT NULL CHECK (length(target_name) <= 256),
    team_id     integer,
    address     text NOT NULL CHECK (length(address) <= 64),
    before      jsonb,
    after       jsonb
);
CREATE INDEX audit_log_team ON audit_log (team_id, id);
CREATE INDEX audit_log_actor ON audit_log (actor_kind, actor_id, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE FUNCTION bugle_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION bugle_refuse_change();
