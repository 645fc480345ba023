-- So many issues of one project that no page could show them all: the first is the newest. What lists are sorted and searched by is
-- made of them by triggers. One statement after the other: counts are put beside what the triggers of the first have made.
BEGIN;
INSERT INTO issues (project_id, number, title, culprit, error_type, platform, level, priority, first_seen, active_at)
SELECT :project, n, 'Error' || n % 89 || ': what went wrong for the ' || n || '. time', 'part' || n % 89 || '/step.py in run', 'Error' || n % 89, 'python',
    20 + 10 * (n % 4), 1 + n % 4, now() - interval '5 days' - n * interval '1 minute', date_trunc('minute', now()) - n * interval '1 minute'
FROM generate_series(1, :many) AS n;
INSERT INTO issue_counts (issue_id, events, last_seen, users)
SELECT id, 1 + number % 700, active_at, number % 300 FROM issues WHERE project_id = :project;
-- Each row draws its last day.
INSERT INTO issue_hours (issue_id, hour, events)
SELECT id, date_trunc('hour', now()) - h * interval '1 hour', 1 + number * h % 17 FROM issues CROSS JOIN generate_series(0, 23, 3) AS h WHERE project_id = :project;
UPDATE projects SET next_issue_number = :many + 1 WHERE id = :project;
COMMIT;
