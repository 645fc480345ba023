-- Two more ways to reach people (model::Channel): calls by Twilio, and web push.

ALTER TABLE destinations
    DROP CONSTRAINT destinations_channel_check,
    ADD CONSTRAINT destinations_channel_check CHECK (channel BETWEEN 1 AND 6);
-- Keys that were pressed during a call: by its id and the key.
ALTER TABLE replies
    DROP CONSTRAINT replies_channel_check,
    ADD CONSTRAINT replies_channel_check CHECK (channel BETWEEN 1 AND 6);
