DROP INDEX incidents_project_open;
DROP INDEX incidents_team_open;
DROP INDEX incidents_inhibited_now;
