DROP INDEX issue_activity_regressed;
ALTER TABLE issues DROP COLUMN resolved_commit, DROP COLUMN resolution;
DROP INDEX issues_resolved_release;
DROP INDEX issues_first_release;
DROP TABLE deploys;
DROP TABLE release_commits;
DROP TABLE repositories;
DROP TABLE release_counts;
DROP FUNCTION bugle_previous_release;
DROP FUNCTION bugle_newest_release;
DROP INDEX releases_order;
DROP INDEX releases_made;
ALTER TABLE releases
    DROP COLUMN released_at, DROP COLUMN started_at, DROP COLUMN url, DROP COLUMN ref, DROP COLUMN status,
    DROP COLUMN sort_key;
DROP FUNCTION bugle_version_key;
