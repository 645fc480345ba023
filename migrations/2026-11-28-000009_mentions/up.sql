-- Who was told by mail of a comment that mentions them: nobody is told of one twice, and nobody has many mails sent.

CREATE TABLE mention_mails (
    -- Null once the comment is gone; it still counts for its author.
    comment_id  bigint REFERENCES issue_activity ON DELETE SET NULL,
    user_id     integer NOT NULL REFERENCES users ON DELETE CASCADE,
    author_kind text NOT NULL CHECK (author_kind IN ('user', 'token', 'system')),
    author_id   integer,
    at          timestamptz NOT NULL,
    UNIQUE (comment_id, user_id)
);
CREATE INDEX mention_mails_user ON mention_mails (user_id);
CREATE INDEX mention_mails_author ON mention_mails (author_kind, author_id, at);
