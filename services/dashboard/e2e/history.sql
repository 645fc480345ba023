-- The demo's errors are all of this minute. For pictures they get a past: what came in the last minutes is spread over 30 days,
-- busier by day than by night, the newest issues the shortest.
WITH wave AS (
    SELECT n, date_trunc('hour', now()) - n * interval '1 hour' AS hour,
           (0.35 + 0.65 * abs(sin(n * pi() / 24 + 0.6))) * (0.6 + 0.4 * abs(sin(n * n))) AS height
    FROM generate_series(1, 719) AS n
), born AS (
    -- Every third issue is new today.
    SELECT i.id, i.project_id, CASE WHEN i.id % 3 = 0 THEN 2 + i.id % 20 ELSE 60 + (i.id * 53) % 650 END AS hours, c.events
    FROM issues i JOIN issue_counts c ON c.issue_id = i.id
), past AS (
    INSERT INTO issue_hours (issue_id, hour, events)
    SELECT b.id, w.hour, round((b.events + 3) * w.height * abs(sin(w.n * w.n + b.id)) * 0.7)::integer FROM born b JOIN wave w ON w.n <= b.hours
    WHERE (b.events + 3) * w.height * abs(sin(w.n * w.n + b.id)) * 0.7 >= 0.5
    ON CONFLICT (issue_id, hour) DO UPDATE SET events = issue_hours.events + excluded.events
    RETURNING issue_id, hour, events
), counted AS (
    UPDATE issue_counts c SET events = c.events + p.events
    FROM (SELECT issue_id, sum(events) AS events FROM past GROUP BY issue_id) p WHERE p.issue_id = c.issue_id
), aged AS (
    UPDATE issues i SET first_seen = first_seen - b.hours * interval '1 hour' FROM born b WHERE b.id = i.id
), sums AS (
    INSERT INTO project_hours (project_id, hour, level, events)
    SELECT i.project_id, p.hour, i.level, sum(p.events) FROM past p JOIN issues i ON i.id = p.issue_id GROUP BY 1, 2, 3
    ON CONFLICT (project_id, hour, level) DO UPDATE SET events = project_hours.events + excluded.events
    RETURNING project_id, hour, events
)
INSERT INTO outcomes (hour, project_id, key_id, outcome, reason, category, quantity)
SELECT s.hour, s.project_id, k.id, o.outcome, o.reason, o.category, ceil(sum(s.events) * o.share)
FROM sums s JOIN project_keys k ON k.project_id = s.project_id
CROSS JOIN (VALUES (0, '', 'error', 1.0), (1, 'releases', 'error', 0.07), (2, 'key_quota', 'error', 0.04)) AS o (outcome, reason, category, share)
GROUP BY s.hour, s.project_id, k.id, o.outcome, o.reason, o.category, o.share
ON CONFLICT DO NOTHING;
