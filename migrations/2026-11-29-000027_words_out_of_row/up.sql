-- The words of an issue leave its row: see the comment in 000006, which meant it so. PostgreSQL moves nothing out of rows that are
-- shorter than 2 kB, and the words have half of that, so that almost each issue which the index names was on a page of its own. Blanks,
-- which take 40 bytes when compressed, make the row long enough. They are made anew whenever the words change: of a row that has only
-- compressed ones nothing would be moved.
ALTER TABLE issue_texts ADD COLUMN blanks text NOT NULL GENERATED ALWAYS AS (repeat(' ', 2048 + length(words) % 2)) STORED;
