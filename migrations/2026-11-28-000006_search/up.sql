-- What searching needs. All of it is made of other tables: triggers keep it, so that nobody who writes an issue has to think of it.

-- Lists walk one index for all projects; what is filtered by is in it, so that walking does not touch the table.
DROP INDEX issues_active;
CREATE INDEX issues_active ON issues (active_at DESC, id DESC) INCLUDE (project_id, status, level, priority);
CREATE INDEX issues_assigned ON issues (assigned_to) WHERE assigned_to IS NOT NULL;

-- What lists are sorted by. Counts are kept by their magnitude (see bugle_magnitude), so that an index over them changes
-- once every five percent and not with every event.
CREATE TABLE issue_ranks (
    issue_id   bigint PRIMARY KEY REFERENCES issues ON DELETE CASCADE,
    project_id integer NOT NULL,
    first_seen timestamptz NOT NULL,
    status     smallint NOT NULL,
    level      smallint NOT NULL,
    priority   smallint NOT NULL,
    events     smallint NOT NULL DEFAULT 0,
    users      smallint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

-- Words of title, culprit, type, message and frames.
CREATE TABLE issue_texts (
    issue_id bigint PRIMARY KEY REFERENCES issues ON DELETE CASCADE,
    words    tsvector NOT NULL
) WITH (toast_tuple_target = 128);
-- Out of the row: finding issues by the index then reads little, and nothing has to be inflated to look at one.
ALTER TABLE issue_texts ALTER COLUMN words SET STORAGE EXTERNAL;

-- Hashes of the ids, addresses and names of the first users of an issue (model::User::keys).
CREATE TABLE issue_user_keys (
    issue_id bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    key_hash bigint NOT NULL,
    PRIMARY KEY (issue_id, key_hash)
);
CREATE INDEX issue_user_keys_hash ON issue_user_keys (key_hash, issue_id);

-- The values that tags have in a project, 1,000 a key at most: for completion, and for what a `*` stands for.
CREATE TABLE project_tags (
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL,
    value      text COLLATE "C" NOT NULL,
    PRIMARY KEY (project_id, key, value)
);

-- A value goes with its key: without this, the planner takes it for as rare as both by themselves.
CREATE STATISTICS issue_tags_pairs (dependencies, mcv) ON key, value FROM issue_tags;

-- Events of one trace. A hash index: only equality is asked for, and it takes two thirds of the room.
CREATE INDEX events_trace ON events USING hash (trace_id) WHERE trace_id IS NOT NULL;

-- 0 to 15 are themselves; above, 16 steps for each doubling.
CREATE FUNCTION bugle_magnitude(n bigint) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE WHEN n < 16 THEN greatest(n, 0) ELSE floor(16 * ln(n::float8) / ln(2::float8) + 1e-9) - 48 END)::smallint
$$;

-- Letters and digits only, so that the text search's parser sees words and nothing else.
CREATE FUNCTION bugle_plain(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(t, '[^[:alnum:]]+', ' ', 'g'))
$$;

-- The words of a text, in their order, then the parts of those that are written likeThis.
CREATE FUNCTION bugle_words(t text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple'::regconfig, bugle_plain(left(t, 4000))) || to_tsvector('simple'::regconfig, coalesce((
        SELECT string_agg(regexp_replace(m[1], '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'), ' ')
        FROM regexp_matches(left(t, 4000), '([[:alnum:]]*[[:lower:][:digit:]][[:upper:]][[:alnum:]]*)', 'g') AS m), ''))
$$;

-- Words in this order, the last one by its beginning when it has three characters.
CREATE FUNCTION bugle_query(phrase text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN bugle_plain(phrase) ~ '[[:alnum:]]{3}$'
        THEN (phraseto_tsquery('simple'::regconfig, bugle_plain(phrase))::text || ':*')::tsquery
        ELSE phraseto_tsquery('simple'::regconfig, bugle_plain(phrase)) END
$$;

-- The same words, wherever they stand: what the index alone can tell.
CREATE FUNCTION bugle_query_words(phrase text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT replace(bugle_query(phrase)::text, '<->', '&')::tsquery
$$;

INSERT INTO issue_ranks (issue_id, project_id, first_seen, status, level, priority, events, users)
SELECT i.id, i.project_id, i.first_seen, i.status, i.level, i.priority, bugle_magnitude(coalesce(c.events, 0)), bugle_magnitude(coalesce(c.users, 0))
FROM issues i LEFT JOIN issue_counts c ON c.issue_id = i.id;
CREATE INDEX issue_ranks_first_seen ON issue_ranks (first_seen DESC, issue_id DESC) INCLUDE (project_id, status, level, priority);
CREATE INDEX issue_ranks_events ON issue_ranks (events DESC, issue_id DESC) INCLUDE (project_id, status, level, priority);
CREATE INDEX issue_ranks_users ON issue_ranks (users DESC, issue_id DESC) INCLUDE (project_id, status, level, priority);
CREATE INDEX issue_ranks_priority ON issue_ranks (priority DESC, issue_id DESC) INCLUDE (project_id, status, level);

-- What was recorded before is found by its title; its frames come with its next new kind of event.
INSERT INTO issue_texts (issue_id, words)
SELECT id, bugle_words(concat_ws(' ', title, culprit, error_type)) FROM issues;
-- Every search reads the whole list of what is still to be sorted in: a short one.
CREATE INDEX issue_texts_words ON issue_texts USING gin (words) WITH (gin_pending_list_limit = 256);

-- `has:user` and `has:trace` are tags without a value.
INSERT INTO issue_tags (issue_id, key, value) SELECT issue_id, 'user', '' FROM issue_counts WHERE users > 0 ON CONFLICT DO NOTHING;
INSERT INTO issue_tags (issue_id, key, value)
SELECT DISTINCT e.issue_id, 'trace', '' FROM events e JOIN issues i ON i.id = e.issue_id WHERE e.trace_id IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO project_tags (project_id, key, value)
SELECT project_id, key, value FROM (
    SELECT t.*, row_number() OVER (PARTITION BY project_id, key ORDER BY value) AS n
    FROM (SELECT DISTINCT i.project_id, t.key, t.value FROM issue_tags t JOIN issues i ON i.id = t.issue_id) t) t
WHERE n <= 1000;

CREATE FUNCTION bugle_issue_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO issue_ranks (issue_id, project_id, first_seen, status, level, priority)
    SELECT id, project_id, first_seen, status, level, priority FROM made;
    INSERT INTO issue_texts (issue_id, words)
    SELECT id, bugle_words(concat_ws(' ', title, culprit, error_type)) FROM made;
    RETURN NULL;
END $$;
CREATE TRIGGER issues_made AFTER INSERT ON issues REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION bugle_issue_made();

CREATE FUNCTION bugle_issue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE issue_ranks SET project_id = NEW.project_id, first_seen = NEW.first_seen, status = NEW.status, level = NEW.level,
        priority = NEW.priority
    WHERE issue_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER issues_changed AFTER UPDATE ON issues FOR EACH ROW
    WHEN ((OLD.project_id, OLD.first_seen, OLD.status, OLD.level, OLD.priority)
        IS DISTINCT FROM (NEW.project_id, NEW.first_seen, NEW.status, NEW.level, NEW.priority))
    EXECUTE FUNCTION bugle_issue_changed();

CREATE FUNCTION bugle_issue_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE issue_ranks SET events = bugle_magnitude(NEW.events), users = bugle_magnitude(NEW.users) WHERE issue_id = NEW.issue_id;
    RETURN NULL;
END $$;
CREATE TRIGGER issue_counts_made AFTER INSERT ON issue_counts FOR EACH ROW EXECUTE FUNCTION bugle_issue_counted();
CREATE TRIGGER issue_counts_changed AFTER UPDATE ON issue_counts FOR EACH ROW
    WHEN (bugle_magnitude(OLD.events) <> bugle_magnitude(NEW.events) OR bugle_magnitude(OLD.users) <> bugle_magnitude(NEW.users))
    EXECUTE FUNCTION bugle_issue_counted();

-- In one order, so that two recorders that meet the same new values wait for each other and not in a circle.
CREATE FUNCTION bugle_issue_tagged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_tags (project_id, key, value)
    SELECT DISTINCT i.project_id, m.key COLLATE "C", m.value COLLATE "C" FROM made m JOIN issues i ON i.id = m.issue_id
    WHERE NOT EXISTS (SELECT 1 FROM project_tags o
            WHERE o.project_id = i.project_id AND o.key = m.key COLLATE "C" AND o.value = m.value COLLATE "C")
        AND (SELECT count(*) FROM (SELECT 1 FROM project_tags o WHERE o.project_id = i.project_id AND o.key = m.key COLLATE "C"
            LIMIT 1000) o) < 1000
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER issue_tags_made AFTER INSERT ON issue_tags REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION bugle_issue_tagged();

-- Three kinds more: somebody raised the priority to medium, high, critical.
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind BETWEEN 1 AND 12);
