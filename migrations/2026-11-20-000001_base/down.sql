DROP TABLE service_heartbeats, outcomes, outbox, notification_attempts, notifications, destinations, feedback,
    attachments, anchors, events, issue_users, issue_tags, issue_hours, issue_minutes, issue_hashes, issue_counts,
    issues, environments, releases, api_tokens, project_keys, projects;
DROP FUNCTION bugle_make_event_partition(smallint, date);
DROP FUNCTION bugle_notify_door();
