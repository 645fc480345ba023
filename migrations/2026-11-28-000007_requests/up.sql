-- What was made under a client's `Idempotency-Key`, for a day: the same request again gets the same answer.

CREATE TABLE idempotency_keys (
    -- SHA-256 of who asked, and of the key they chose.
    principal    bytea NOT NULL CHECK (length(principal) = 32),
    key_hash     bytea NOT NULL CHECK (length(key_hash) = 32),
    -- SHA-256 of method, path and body.
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    created_at   timestamptz NOT NULL,
    -- Null while the first request is under way.
    status       smallint CHECK (status BETWEEN 200 AND 299),
    content_type text CHECK (length(content_type) <= 128),
    -- Null for an answer that is not kept: it holds a secret, or is too long.
    body         bytea CHECK (length(body) <= 262144),
    PRIMARY KEY (principal, key_hash)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
