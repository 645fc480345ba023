-- What is counted once, what goes when its time has come, and in which order issues are locked.

-- Messages whose items ended without a row (filtered, invalid, …), so that they are not counted again when the broker
-- delivers them again. `part` is 0 unless the message took several transactions.
CREATE TABLE consumed_messages (
    id          uuid NOT NULL,
    part        smallint NOT NULL,
    consumed_at timestamptz NOT NULL,
    PRIMARY KEY (id, part)
);

-- Somebody publishes it right after the commit: the sweep leaves it alone for a while.
ALTER TABLE outbox ADD COLUMN forwarded boolean NOT NULL DEFAULT false;

-- As for attachments. Null: written by an older version, and kept for a year.
ALTER TABLE feedback ADD COLUMN expires_on date;
UPDATE feedback f SET expires_on = (f.received_at AT TIME ZONE 'UTC')::date
    + CASE WHEN p.settings ->> 'retention' IN ('7', '30', '90', '365') THEN (p.settings ->> 'retention')::integer ELSE 90 END
FROM projects p WHERE p.id = f.project_id;
CREATE INDEX feedback_expires ON feedback (expires_on);

-- Rows go by their minute, every ten minutes. Not BRIN: new rows take the room of old ones, and a range that has held an old
-- minute is looked at for ever.
CREATE INDEX issue_minutes_minute ON issue_minutes (minute);

-- Issues are locked in the order of their ids, by whoever changes several.
CREATE OR REPLACE FUNCTION bugle_rename_assignee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'users' THEN
        PERFORM 1 FROM issues WHERE assigned_user_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
        UPDATE issues SET assigned_to = NEW.name WHERE assigned_user_id = NEW.id;
    ELSE
        PERFORM 1 FROM issues WHERE assigned_team_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
        UPDATE issues SET assigned_to = '#' || NEW.name WHERE assigned_team_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

-- How many keys of tags a project has, up to 1,000. From one to the next by the index: a key may have a thousand values.
CREATE FUNCTION bugle_tag_keys(project integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE k (key, n) AS (
        SELECT (SELECT min(t.key) FROM project_tags t WHERE t.project_id = project), 1
        UNION ALL
        SELECT (SELECT min(t.key) FROM project_tags t WHERE t.project_id = project AND t.key > k.key), k.n + 1
        FROM k WHERE k.key IS NOT NULL AND k.n < 1000)
    SELECT count(k.key) FROM k
$$;

-- As before, but a key is looked at once and not for each of its values; and a project has 1,000 keys at most.
CREATE OR REPLACE FUNCTION bugle_issue_tagged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_tags (project_id, key, value)
    WITH fresh AS MATERIALIZED (
        SELECT DISTINCT i.project_id, m.key COLLATE "C" AS key, m.value COLLATE "C" AS value
        FROM made m JOIN issues i ON i.id = m.issue_id
        WHERE NOT EXISTS (SELECT 1 FROM project_tags o
                WHERE o.project_id = i.project_id AND o.key = m.key COLLATE "C" AND o.value = m.value COLLATE "C")),
    keys AS MATERIALIZED (
        SELECT k.project_id, k.key, (SELECT count(*) FROM (SELECT 1 FROM project_tags o
            WHERE o.project_id = k.project_id AND o.key = k.key LIMIT 1000) o) AS known
        FROM (SELECT DISTINCT project_id, key FROM fresh) k),
    new_keys AS MATERIALIZED (
        SELECT project_id, key, row_number() OVER (PARTITION BY project_id ORDER BY key) AS place FROM keys WHERE known = 0),
    room AS MATERIALIZED (
        SELECT p.project_id, 1000 - bugle_tag_keys(p.project_id) AS keys FROM (SELECT DISTINCT project_id FROM new_keys) p)
    SELECT f.project_id, f.key, f.value FROM fresh f JOIN keys USING (project_id, key)
    WHERE keys.known < 1000 AND NOT EXISTS (
        SELECT 1 FROM new_keys k JOIN room r ON r.project_id = k.project_id
        WHERE k.project_id = f.project_id AND k.key = f.key AND k.place > r.keys)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
