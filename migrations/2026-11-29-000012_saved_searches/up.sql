-- Searches of issues that people come back to.

CREATE TABLE saved_searches (
    id         serial PRIMARY KEY,
    -- Whose it is: a person's, or a team's.
    user_id    integer REFERENCES users ON DELETE CASCADE,
    team_id    integer REFERENCES teams ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    query      text NOT NULL CHECK (length(query) <= 500),
    sort       text NOT NULL CHECK (sort ~ '^[a-z_]{1,32}$'),
    -- Only issues of this project; null for those of all.
    project_id integer REFERENCES projects ON DELETE CASCADE,
    -- Who saved it, by name.
    created_by text NOT NULL CHECK (length(created_by) <= 128),
    created_at timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, team_id) = 1),
    UNIQUE (user_id, name),
    UNIQUE (team_id, name)
);
CREATE INDEX saved_searches_project ON saved_searches (project_id) WHERE project_id IS NOT NULL;
