DROP INDEX issues_project_active;
DROP INDEX issue_texts_words;
CREATE INDEX issue_texts_words ON issue_texts USING gin (words) WITH (gin_pending_list_limit = 256);
DROP FUNCTION bugle_phrase_pairs(text);
DROP FUNCTION bugle_pairs(tsvector);
