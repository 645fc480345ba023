DROP TABLE canary_rounds;
DROP INDEX incidents_triggered;
DROP INDEX notifications_pages;
