DROP TABLE schedule_feeds;
