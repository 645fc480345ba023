-- The workflow of issues: ignoring for a while, assignees, mentions, bookmarks, merging, discarding, sharing.

ALTER TABLE issues
    -- While it is ignored, and not for ever: store::issues::Ignored as JSON.
    ADD COLUMN ignore_until jsonb,
    -- Who assigned_to names, when it is an account or a team. The name stays when they go.
    ADD COLUMN assigned_user_id integer REFERENCES users ON DELETE SET NULL,
    ADD COLUMN assigned_team_id integer REFERENCES teams ON DELETE SET NULL,
    -- How often fingerprints were taken away from it: what a recorder remembers of them holds for this number only.
    ADD COLUMN splits integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT assigned_to_one CHECK (assigned_user_id IS NULL OR assigned_team_id IS NULL);
CREATE INDEX issues_ignored_until ON issues (id) WHERE ignore_until IS NOT NULL;
CREATE INDEX issues_assigned_user ON issues (assigned_user_id) WHERE assigned_user_id IS NOT NULL;
CREATE INDEX issues_assigned_team ON issues (assigned_team_id) WHERE assigned_team_id IS NOT NULL;

-- Names of before that can only be one account's.
UPDATE issues i SET assigned_user_id = u.id FROM users u
WHERE u.name = i.assigned_to AND NOT EXISTS (SELECT 1 FROM users o WHERE o.name = u.name AND o.id <> u.id);

-- Issues keep the assignee's name, so that lists need not look it up: a new name goes there too.
CREATE FUNCTION bugle_rename_assignee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'users' THEN
        UPDATE issues SET assigned_to = NEW.name WHERE assigned_user_id = NEW.id;
    ELSE
        UPDATE issues SET assigned_to = '#' || NEW.name WHERE assigned_team_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_assignee AFTER UPDATE OF name ON users
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION bugle_rename_assignee();
CREATE TRIGGER teams_assignee AFTER UPDATE OF name ON teams
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION bugle_rename_assignee();

-- Whose comment it is. The kinds are the code's, as those of mails.
ALTER TABLE issue_activity
    ADD COLUMN actor_kind text CHECK (actor_kind IN ('user', 'token', 'system')),
    ADD COLUMN actor_id integer,
    DROP CONSTRAINT issue_activity_kind_check,
    ADD CONSTRAINT issue_activity_kind_check CHECK (kind ~ '^[a-z_]{1,32}$');
ALTER TABLE account_mails
    DROP CONSTRAINT account_mails_kind_check,
    ADD CONSTRAINT account_mails_kind_check CHECK (kind ~ '^[a-z_]{1,32}$');

-- 9: an issue is not ignored any more.
ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check CHECK (kind BETWEEN 1 AND 9);

CREATE TABLE bookmarks (
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    issue_id   bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, issue_id)
);
CREATE INDEX bookmarks_issue ON bookmarks (issue_id);

-- Issues that are part of another one now: what their ids and short ids lead to.
CREATE TABLE merged_issues (
    id         bigint PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    number     integer NOT NULL,
    issue_id   bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    merged_at  timestamptz NOT NULL,
    UNIQUE (project_id, number)
);
CREATE INDEX merged_issues_issue ON merged_issues (issue_id);

-- Events that still have the id of an issue that is gone. The recorder moves them, or deletes them, a part at a time.
CREATE TABLE issue_moves (
    from_issue bigint PRIMARY KEY,
    -- Null: nobody's.
    to_issue   bigint,
    created_at timestamptz NOT NULL
);
CREATE INDEX issue_moves_to ON issue_moves (to_issue);

-- Issues that nobody wants to hear of again: events with one of their fingerprints are filtered.
CREATE TABLE discards (
    id         serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    title      text NOT NULL CHECK (length(title) <= 256),
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL
);
CREATE INDEX discards_project ON discards (project_id, id);
CREATE TABLE discard_hashes (
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    hash       bytea NOT NULL CHECK (length(hash) = 16),
    discard_id integer NOT NULL REFERENCES discards ON DELETE CASCADE,
    PRIMARY KEY (project_id, hash)
);
CREATE INDEX discard_hashes_discard ON discard_hashes (discard_id);

-- Secret links to single issues: one each.
CREATE TABLE issue_shares (
    issue_id   bigint PRIMARY KEY REFERENCES issues ON DELETE CASCADE,
    -- SHA-256 of what the link ends with.
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL
);
