ALTER TABLE incident_pages DROP COLUMN wanted_at;
DROP TABLE quiet_hours;
