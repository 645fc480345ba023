DROP TABLE mention_mails;
