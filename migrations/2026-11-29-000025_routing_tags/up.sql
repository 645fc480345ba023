-- Routing rules that look at the tags of the event.

-- A list of {key, value}, all of which must hold. Empty: whatever the tags are.
ALTER TABLE routing_rules ADD COLUMN tags jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tags) = 'array');
