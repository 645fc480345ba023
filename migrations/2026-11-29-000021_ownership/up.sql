-- Who owns what of a project, who can take issues, and which issues are still to be given to somebody.

CREATE TABLE project_ownership (
    project_id  integer PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    -- Rules, roots, and what is done when no rule gives an issue to anybody.
    content     jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
    -- The lines of the imported CODEOWNERS file, and whom its names are here.
    codeowners  jsonb CHECK (jsonb_typeof(codeowners) = 'object'),
    imported_at timestamptz,
    imported_by text CHECK (length(imported_by) <= 128),
    -- Whether any issue can be given to anybody by it.
    gives       boolean NOT NULL GENERATED ALWAYS AS (
        coalesce(jsonb_array_length(content -> 'rules') > 0, false)
        OR coalesce((content #>> '{otherwise,on_call}')::boolean, false)
        OR coalesce((content #>> '{otherwise,least_loaded}')::boolean, false)
        OR coalesce(jsonb_array_length(codeowners -> 'rules') > 0, false)) STORED,
    CONSTRAINT imported_together CHECK ((codeowners IS NULL) = (imported_at IS NULL))
);

-- Who is not here is available without a limit.
CREATE TABLE availability (
    user_id         integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    available       boolean NOT NULL,
    away_until      timestamptz CHECK (away_until IS NULL OR NOT available),
    max_open_issues integer CHECK (max_open_issues BETWEEN 1 AND 10000)
);

-- Issues to be given to somebody, once per time that they have come: a signal that is delivered again gives none a second time.
CREATE TABLE issue_assignments (
    issue_id   bigint NOT NULL REFERENCES issues ON DELETE CASCADE,
    generation integer NOT NULL,
    event_id   uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- Null: nobody has looked yet.
    decided_at timestamptz,
    PRIMARY KEY (issue_id, generation)
);
CREATE INDEX issue_assignments_open ON issue_assignments (created_at, issue_id) WHERE decided_at IS NULL;
