-- Releases: their order, what they are made of, where they run, and issues that are resolved by them.

-- What semantic versions sort by, byte by byte (https://semver.org, §11); empty for others. The same as
-- `releases::version` in the store, which a test compares.
CREATE FUNCTION bugle_version_key(version text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    parts text[] := regexp_match(regexp_replace(version, '^.*@', ''),
        '^v?([0-9]{1,18})\.([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:-([^+]+))?(?:\+.*)?$');
    field text;
    key bytea;
BEGIN
    IF parts IS NULL THEN
        RETURN '';
    END IF;
    key := int8send(parts[1]::bigint) || int8send(parts[2]::bigint) || int8send(coalesce(parts[3], '0')::bigint);
    IF parts[4] IS NULL THEN
        RETURN key || '\xff'::bytea;
    END IF;
    -- Before the release itself; numbers before words, and what has fewer fields first.
    key := key || '\x00'::bytea;
    FOREACH field IN ARRAY string_to_array(parts[4], '.') LOOP
        IF field ~ '^[0-9]{1,18}$' THEN
            key := key || '\x01'::bytea || int8send(field::bigint);
        ELSE
            key := key || '\x02'::bytea || convert_to(field, 'UTF8') || '\x00'::bytea;
        END IF;
    END LOOP;
    RETURN key || '\x00'::bytea;
END $$;

ALTER TABLE releases
    ADD COLUMN sort_key    bytea NOT NULL GENERATED ALWAYS AS (bugle_version_key(version)) STORED,
    -- 0: open, 1: archived.
    ADD COLUMN status      smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 1)),
    -- What it was built from: a branch, a tag or a commit.
    ADD COLUMN ref         text CHECK (length(ref) BETWEEN 1 AND 250),
    ADD COLUMN url         text CHECK (length(url) BETWEEN 1 AND 2048),
    ADD COLUMN started_at  timestamptz,
    ADD COLUMN released_at timestamptz;
CREATE INDEX releases_made ON releases (project_id, created_at, id);
CREATE INDEX releases_order ON releases (project_id, sort_key, id);

-- The release that a project's apps are at: of semantic versions the highest, else the last that was made known. What
-- was made known last tells which of the two the project goes by.
CREATE FUNCTION bugle_newest_release(project integer) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT r.id FROM releases r WHERE last.sort_key <> '' AND r.project_id = project
         ORDER BY r.sort_key DESC, r.id DESC LIMIT 1),
        last.id)
    FROM (SELECT r.id, r.sort_key FROM releases r WHERE r.project_id = project
          ORDER BY r.created_at DESC, r.id DESC LIMIT 1) last
$$;

-- The release right before one in the project's order.
CREATE FUNCTION bugle_previous_release(project integer, release integer, made timestamptz, key bytea) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN key <> '' THEN
        (SELECT r.id FROM releases r
         WHERE r.project_id = project AND r.sort_key <> '' AND (r.sort_key, r.id) < (key, release)
         ORDER BY r.sort_key DESC, r.id DESC LIMIT 1)
    ELSE
        (SELECT r.id FROM releases r WHERE r.project_id = project AND (r.created_at, r.id) < (made, release)
         ORDER BY r.created_at DESC, r.id DESC LIMIT 1)
    END
$$;

-- Its events. Apart from the rest, because it changes with each batch (HOT updates).
CREATE TABLE release_counts (
    release_id  integer PRIMARY KEY REFERENCES releases ON DELETE CASCADE,
    events      bigint NOT NULL,
    first_event timestamptz NOT NULL,
    last_event  timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

INSERT INTO release_counts (release_id, events, first_event, last_event)
SELECT e.release_id, count(*), min(e.received_at), max(e.received_at)
FROM events e JOIN releases r ON r.id = e.release_id GROUP BY e.release_id;

CREATE TABLE repositories (
    id         serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE release_commits (
    release_id    integer NOT NULL REFERENCES releases ON DELETE CASCADE,
    -- 0 is the newest.
    place         integer NOT NULL,
    repository_id integer REFERENCES repositories ON DELETE SET NULL,
    -- In lower case where it is hexadecimal.
    sha           text COLLATE "C" NOT NULL CHECK (length(sha) BETWEEN 1 AND 64),
    author_name   text CHECK (length(author_name) <= 128),
    author_email  text CHECK (length(author_email) <= 254),
    message       text CHECK (length(message) <= 4096),
    committed_at  timestamptz,
    PRIMARY KEY (release_id, place)
);
CREATE INDEX release_commits_sha ON release_commits (sha);
CREATE INDEX release_commits_repository ON release_commits (repository_id);

CREATE TABLE deploys (
    id          serial PRIMARY KEY,
    release_id  integer NOT NULL REFERENCES releases ON DELETE CASCADE,
    environment text NOT NULL CHECK (octet_length(environment) BETWEEN 1 AND 64),
    name        text CHECK (length(name) BETWEEN 1 AND 64),
    url         text CHECK (length(url) BETWEEN 1 AND 2048),
    started_at  timestamptz,
    finished_at timestamptz NOT NULL
);
CREATE INDEX deploys_release ON deploys (release_id, id);

ALTER TABLE issues
    -- How it is resolved. 0: now. 1: in the release after resolved_release_id. 2: in resolved_release_id.
    ADD COLUMN resolution      smallint NOT NULL DEFAULT 0 CHECK (resolution BETWEEN 0 AND 2),
    -- The commit that resolves it, or the beginning of its id. Until a release has it the issue stays open.
    ADD COLUMN resolved_commit text COLLATE "C" CHECK (length(resolved_commit) BETWEEN 7 AND 64);
CREATE INDEX issues_first_release ON issues (first_release_id) WHERE first_release_id IS NOT NULL;
CREATE INDEX issues_resolved_release ON issues (resolved_release_id) WHERE resolved_release_id IS NOT NULL;
CREATE INDEX issues_resolved_commit ON issues (project_id, resolved_commit) WHERE resolved_commit IS NOT NULL;
CREATE INDEX issue_activity_regressed ON issue_activity ((data ->> 'release')) WHERE kind = 'regressed';
