-- The errors of the seed are all of this minute. For pictures they get a past, as `told` says of each: how many hours it is known, events
-- an hour by day, users for each event, minutes since the last one, and how it went. `versions` are releases and the hours since they came.
BEGIN;
CREATE TEMP TABLE told AS
SELECT * FROM jsonb_to_recordset(:'told'::jsonb) AS t (issue bigint, age integer, rate float8, users float8, last integer, shape text);

-- Busier in the afternoon than at night, and never quite the same. What was seen first and last was seen, however rare it is.
CREATE TEMP TABLE past AS
SELECT t.issue, h.hour, greatest(
        round(t.rate * h.day * (0.5 + abs(sin(h.n * 12.9898 + t.issue * 78.233))) * CASE t.shape
            WHEN 'worse' THEN CASE WHEN h.n < 17 THEN 1 + (17 - h.n) * 0.15 ELSE 0.3 END
            WHEN 'back' THEN CASE WHEN h.n < 6 THEN 1 WHEN h.n < 130 THEN 0 ELSE 0.8 END
            WHEN 'burst' THEN CASE WHEN h.n BETWEEN 5 AND 8 THEN 9 ELSE 0.3 END
            ELSE 1 END)::integer,
        CASE WHEN h.n IN (t.age, t.last / 60) THEN 1 ELSE 0 END) AS events
FROM told t CROSS JOIN LATERAL (
    SELECT n, date_trunc('hour', now()) - n * interval '1 hour' AS hour,
        0.35 + 0.65 * (1 + cos((extract(hour FROM now() - n * interval '1 hour') - 15) * pi() / 12)) / 2 AS day
    FROM generate_series(t.last / 60, t.age) AS n) AS h;

DELETE FROM issue_hours WHERE issue_id IN (SELECT issue FROM told);
INSERT INTO issue_hours (issue_id, hour, events) SELECT issue, hour, events FROM past WHERE events > 0;
UPDATE issue_counts c SET events = p.events, users = greatest(c.users, round(p.events * t.users)::integer), last_seen = now() - t.last * interval '1 minute'
FROM told t JOIN (SELECT issue, sum(events) AS events FROM past GROUP BY issue) p ON p.issue = t.issue WHERE c.issue_id = t.issue;
UPDATE issues i SET first_seen = now() - t.age * interval '1 hour', active_at = date_trunc('minute', now() - t.last * interval '1 minute'),
    reopened_at = CASE WHEN i.reopened_at IS NOT NULL THEN now() - interval '5 hours' END, resolved_at = i.resolved_at - interval '37 minutes'
FROM told t WHERE t.issue = i.id;

-- What the team did with it: the latest somewhat ago, and what had to be long ago long ago.
UPDATE issue_activity a SET at = o.at FROM (
    SELECT a.id, now() - CASE WHEN t.shape = 'back' AND a.kind = 'regressed' THEN interval '5 hours' WHEN t.shape = 'back' AND a.kind = 'status' THEN interval '130 hours'
        ELSE row_number() OVER (PARTITION BY a.issue_id ORDER BY a.id DESC) * interval '37 minutes' END AS at
    FROM issue_activity a JOIN told t ON t.issue = a.issue_id) o
WHERE o.id = a.id;

-- Whoever was told of something new was told when it was new.
CREATE TEMP TABLE earlier AS
SELECT n.id, CASE WHEN n.kind = 1 THEN t.age * interval '1 hour' ELSE least(t.last, 50) * interval '1 minute' END AS gap
FROM notifications n JOIN told t ON t.issue = n.issue_id WHERE n.finished_at IS NOT NULL;
UPDATE notification_attempts a SET started_at = a.started_at - e.gap FROM earlier e WHERE e.id = a.notification_id;
UPDATE notifications n SET received_at = n.received_at - e.gap, created_at = n.created_at - e.gap, dispatched_at = n.dispatched_at - e.gap, finished_at = n.finished_at - e.gap
FROM earlier e WHERE e.id = n.id;

DELETE FROM project_hours;
INSERT INTO project_hours (project_id, hour, level, events)
SELECT i.project_id, h.hour, i.level, sum(h.events) FROM issue_hours h JOIN issues i ON i.id = h.issue_id GROUP BY 1, 2, 3;

-- A release has the events of its time.
CREATE TEMP TABLE came AS
SELECT r.id, r.project_id, now() - v.age * interval '1 hour' AS at, lead(now() - v.age * interval '1 hour') OVER (PARTITION BY r.project_id ORDER BY v.age DESC) AS until
FROM jsonb_to_recordset(:'versions'::jsonb) AS v (version text, age integer) JOIN releases r ON r.version = v.version;
UPDATE releases r SET created_at = c.at FROM came c WHERE c.id = r.id;
INSERT INTO release_counts (release_id, events, first_event, last_event)
SELECT c.id, coalesce(sum(h.events), 0), c.at + interval '4 minutes', coalesce(c.until + interval '2 hours', now())
FROM came c LEFT JOIN project_hours h ON h.project_id = c.project_id AND h.hour >= c.at AND h.hour < coalesce(c.until, now())
GROUP BY c.id, c.at, c.until
ON CONFLICT (release_id) DO UPDATE SET events = excluded.events, first_event = excluded.first_event, last_event = excluded.last_event;

-- Not everything that is sent is recorded.
INSERT INTO outcomes (hour, project_id, key_id, outcome, reason, category, quantity)
SELECT h.hour, h.project_id, k.id, o.outcome, o.reason, o.category, ceil(sum(h.events) * o.share)
FROM project_hours h JOIN project_keys k ON k.project_id = h.project_id
CROSS JOIN (VALUES (0, '', 'error', 1.0), (1, 'releases', 'error', 0.07), (2, 'key_quota', 'error', 0.04)) AS o (outcome, reason, category, share)
GROUP BY h.hour, h.project_id, k.id, o.outcome, o.reason, o.category, o.share
ON CONFLICT DO NOTHING;
COMMIT;
