-- What every overview counts: how many issues are open, and how many came back lately.
CREATE INDEX issues_unresolved ON issues (project_id) WHERE status = 0;
CREATE INDEX issues_reopened ON issues (reopened_at) WHERE reopened_at IS NOT NULL;
