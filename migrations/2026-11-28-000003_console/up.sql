-- What the console shows beyond single issues and events.

-- Recorded events by project, hour and level: the trend of a project costs a few rows, however many issues it has.
CREATE TABLE project_hours (
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    hour       timestamptz NOT NULL,
    level      smallint NOT NULL,
    events     bigint NOT NULL,
    PRIMARY KEY (project_id, hour, level)
) WITH (fillfactor = 70);

-- What was recorded before counts under the issue's level: that of each event is only in its row.
INSERT INTO project_hours (project_id, hour, level, events)
SELECT i.project_id, h.hour, i.level, sum(h.events) FROM issue_hours h JOIN issues i ON i.id = h.issue_id
GROUP BY i.project_id, h.hour, i.level;

-- What happened to an issue, and who did it. Append-only.
CREATE TABLE issue_activity (
    id       bigserial PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    -- A person's or a token's name; null for Bugle itself.
    actor    text CHECK (length(actor) <= 128),
    kind     text NOT NULL CHECK (kind IN ('status', 'priority', 'assigned', 'regressed', 'comment')),
    -- By kind: {"from", "to"}; {"event_id", "release"}; {"text"}.
    data     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX issue_activity_issue ON issue_activity (issue_id, id);

-- From a tag's value to the issues that have it.
CREATE INDEX issue_tags_value ON issue_tags (key, value, issue_id);
