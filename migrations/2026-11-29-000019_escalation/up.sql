-- Steps in which people take turns, and by when an incident has to be answered.

-- Whose turn it is in a step: the place among its people of the one who is paged next.
CREATE TABLE escalation_turns (
    policy_id integer NOT NULL REFERENCES escalation_policies ON DELETE CASCADE,
    -- From 0.
    step      smallint NOT NULL,
    next      integer NOT NULL DEFAULT 0 CHECK (next >= 0),
    PRIMARY KEY (policy_id, step)
);

-- Minutes by the codes of priorities: low, medium, high, critical. Null: no response time.
ALTER TABLE teams
    ADD COLUMN response_minutes integer[] NOT NULL DEFAULT '{1440,240,60,0}'
        CHECK (array_length(response_minutes, 1) = 4 AND 0 <= ALL (response_minutes) AND 43200 >= ALL (response_minutes));

-- By when somebody has to answer; null: there is no response time, or a silence keeps it silent.
ALTER TABLE incidents ADD COLUMN respond_by timestamptz;

-- How long an incident of this team, or of a project of this team's, has to be answered; null: for ever.
CREATE FUNCTION bugle_response_time(team integer, project integer, priority smallint) RETURNS interval
LANGUAGE sql STABLE AS $$
    SELECT make_interval(mins => t.response_minutes[priority])
    FROM teams t WHERE t.id = COALESCE(team, (SELECT p.team_id FROM projects p WHERE p.id = project))
$$;
