DROP TABLE web_push_keys;
DELETE FROM replies WHERE channel > 4;
DELETE FROM destinations WHERE channel > 4;
ALTER TABLE replies
    DROP CONSTRAINT replies_channel_check,
    ADD CONSTRAINT replies_channel_check CHECK (channel BETWEEN 1 AND 4);
ALTER TABLE destinations
    DROP CONSTRAINT destinations_channel_check,
    ADD CONSTRAINT destinations_channel_check CHECK (channel BETWEEN 1 AND 4);
