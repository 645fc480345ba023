DROP INDEX issues_unresolved;
DROP INDEX issues_reopened;
