-- Phrases: which words stand next to each other. The index of words knows of each by itself, and where two are common but hardly
-- ever in this order, it names ten thousand issues for a few.

-- Numbers of a text's neighbours, one of 65,536 for each: of the first word, and of the second's first three letters, which is what
-- a phrase asks of its last word at least (see bugle_query).
CREATE FUNCTION bugle_pairs(words tsvector) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH word AS MATERIALIZED (SELECT lexeme, place FROM unnest(words) AS l, unnest(l.positions) AS place)
    SELECT ARRAY(SELECT DISTINCT hashtext(one.lexeme || ' ' || left(next.lexeme, 3)) & 65535
        FROM word one JOIN word next ON next.place = one.place + 1)
$$;

-- Those of a phrase: an issue whose words stand like this has them all.
CREATE FUNCTION bugle_phrase_pairs(phrase text) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT bugle_pairs(to_tsvector('simple'::regconfig, bugle_plain(phrase)))
$$;

-- One index, in which what is rare of a phrase spares reading what is common. Every search reads the whole list of what is still to
-- be sorted in: a short one.
DROP INDEX issue_texts_words;
CREATE INDEX issue_texts_words ON issue_texts USING gin (words, bugle_pairs(words)) WITH (gin_pending_list_limit = 256);
-- To analyse them would make the pairs of thirty thousand issues anew, for an estimate that nobody uses.
ALTER INDEX issue_texts_words ALTER COLUMN 2 SET STATISTICS 0;

-- The list of one project, also of one that has long been quiet: without it, all that is newer of others was walked.
CREATE INDEX issues_project_active ON issues (project_id, active_at DESC, id DESC) INCLUDE (status, level, priority);
