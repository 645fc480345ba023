-- Two more ways to reach people (model::Channel): calls by Twilio, and web push.

ALTER TABLE destinations
    DROP CONSTRAINT destinations_channel_check,
    ADD CONSTRAINT destinations_channel_check CHECK (channel BETWEEN 1 AND 6);
-- Keys that were pressed during a call: by its id and the key.
ALTER TABLE replies
    DROP CONSTRAINT replies_channel_check,
    ADD CONSTRAINT replies_channel_check CHECK (channel BETWEEN 1 AND 6);

-- The pair of keys by which push services know this installation (VAPID, RFC 8292); one row. Browsers subscribe for the public key: with another
-- pair every subscription would be void.
CREATE TABLE web_push_keys (
    is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    -- PKCS#8; a secret.
    key_pair   bytea NOT NULL,
    -- The point on P-256, uncompressed.
    public_key bytea NOT NULL CHECK (length(public_key) = 65),
    created_at timestamptz NOT NULL
);
