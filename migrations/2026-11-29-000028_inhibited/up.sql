-- What is open, and what of it is kept silent, is found without what is over.

-- What another incident keeps silent now. incidents_inhibited has all that ever was, for when incidents are removed.
CREATE INDEX incidents_inhibited_now ON incidents (id) WHERE inhibited_by IS NOT NULL AND silenced_until IS NOT NULL AND state = 1;

-- What is open of a team, and of its projects, which may keep others silent.
CREATE INDEX incidents_team_open ON incidents (team_id) WHERE team_id IS NOT NULL AND state < 3;
CREATE INDEX incidents_project_open ON incidents (project_id) WHERE project_id IS NOT NULL AND state < 3;
