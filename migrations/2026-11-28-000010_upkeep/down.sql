-- As migration 6 has it.
CREATE OR REPLACE FUNCTION bugle_issue_tagged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_tags (project_id, key, value)
    SELECT DISTINCT i.project_id, m.key COLLATE "C", m.value COLLATE "C" FROM made m JOIN issues i ON i.id = m.issue_id
    WHERE NOT EXISTS (SELECT 1 FROM project_tags o
            WHERE o.project_id = i.project_id AND o.key = m.key COLLATE "C" AND o.value = m.value COLLATE "C")
        AND (SELECT count(*) FROM (SELECT 1 FROM project_tags o WHERE o.project_id = i.project_id AND o.key = m.key COLLATE "C"
            LIMIT 1000) o) < 1000
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP FUNCTION bugle_tag_keys(integer);

-- As migration 5 has it.
CREATE OR REPLACE FUNCTION bugle_rename_assignee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'users' THEN
        UPDATE issues SET assigned_to = NEW.name WHERE assigned_user_id = NEW.id;
    ELSE
        UPDATE issues SET assigned_to = '#' || NEW.name WHERE assigned_team_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

DROP INDEX issue_minutes_minute;
ALTER TABLE feedback DROP COLUMN expires_on;
ALTER TABLE outbox DROP COLUMN forwarded;
DROP TABLE consumed_messages;
