-- Signing in with an OpenID Connect provider.

-- Who somebody is at a provider. Linked once by a verified address, then known by the subject, whatever becomes of the address.
CREATE TABLE oidc_identities (
    issuer     text NOT NULL CHECK (length(issuer) <= 512),
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX oidc_identities_user ON oidc_identities (user_id);

-- Sign-ins under way, for ten minutes. Each is taken once.
CREATE TABLE oidc_attempts (
    -- SHA-256 of the `state`, which is also in a cookie of the browser that began.
    state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    nonce      text NOT NULL CHECK (length(nonce) <= 128),
    -- Of PKCE.
    verifier   text NOT NULL CHECK (length(verifier) <= 128),
    -- The page to go on with.
    next       text NOT NULL CHECK (length(next) <= 1024),
    created_at timestamptz NOT NULL
);
CREATE INDEX oidc_attempts_created ON oidc_attempts (created_at);
