ALTER TABLE schedule_overrides DROP COLUMN in_place_of;
DROP TABLE schedule_subscriptions;
