-- Answers to pages from where they are read: links in mails.

-- One link of a mail: what it does, for whom. Only the SHA-256 of what the link proves is kept.
CREATE TABLE answer_links (
    token_hash  bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    incident_id bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- acknowledge, escalate, resolve
    answer      smallint NOT NULL CHECK (answer BETWEEN 1 AND 3),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    -- Null: not used yet.
    used_at     timestamptz
);
CREATE INDEX answer_links_incident ON answer_links (incident_id);
CREATE INDEX answer_links_user ON answer_links (user_id);
CREATE INDEX answer_links_expires ON answer_links (expires_at);
