DROP TABLE issue_assignments;
DROP TABLE availability;
DROP TABLE project_ownership;
