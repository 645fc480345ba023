-- What was for some tags only must not page for all of them.
DELETE FROM routing_rules WHERE tags <> '[]';
ALTER TABLE routing_rules DROP COLUMN tags;
