-- Answers to pages by SMS and Slack, and what Twilio says became of messages.

-- What the provider says of a message that it has taken (model::DeliveryStatus), with its error code; null while it says
-- nothing. Which of its messages that is about: provider_id.
ALTER TABLE notifications
    ADD COLUMN delivery smallint CHECK (delivery BETWEEN 1 AND 7),
    ADD COLUMN delivery_code integer;

-- What people sent back, by the id that their provider gave it. What comes again is answered as the first time and does
-- nothing. No texts and no numbers.
CREATE TABLE replies (
    -- model::Channel
    channel        smallint NOT NULL CHECK (channel BETWEEN 1 AND 4),
    provider_id    text NOT NULL CHECK (length(provider_id) BETWEEN 1 AND 256),
    -- Whose contact method it came from; null when that is gone.
    destination_id integer REFERENCES destinations ON DELETE SET NULL,
    -- It asked for something that there is: not one of a machine that answers every message.
    understood     boolean NOT NULL DEFAULT false,
    answer         text NOT NULL DEFAULT '' CHECK (length(answer) <= 1000),
    received_at    timestamptz NOT NULL,
    PRIMARY KEY (channel, provider_id)
);
CREATE INDEX replies_destination ON replies (destination_id, received_at);
CREATE INDEX replies_received ON replies (received_at);

-- Who has open incidents, whatever was resolved before.
CREATE INDEX incidents_unresolved ON incidents (id) WHERE state < 3;

-- Messages at Slack with buttons that answer an incident: changed in place when it changes, until it is over.
CREATE TABLE incident_messages (
    notification_id  bigint PRIMARY KEY REFERENCES notifications ON DELETE CASCADE,
    incident_id      bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    -- How the incident stands in it.
    shown_state      smallint NOT NULL CHECK (shown_state BETWEEN 1 AND 3),
    shown_generation integer NOT NULL,
    -- Nobody changes it before: somebody is at it, or it has to wait.
    next_at          timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 0
);
CREATE INDEX incident_messages_incident ON incident_messages (incident_id);
