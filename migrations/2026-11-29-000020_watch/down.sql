DELETE FROM incident_log WHERE kind = 26;
DROP TABLE canary_rounds;
DROP INDEX incidents_triggered;
DROP INDEX notifications_pages;
