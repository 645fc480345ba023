DROP INDEX issue_tags_value;
DROP TABLE issue_activity;
DROP TABLE project_hours;
