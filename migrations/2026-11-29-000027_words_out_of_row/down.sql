ALTER TABLE issue_texts DROP COLUMN blanks;
