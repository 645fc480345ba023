-- Incidents in depth: who else was asked to help, and incidents that became part of another one. Times are passed in by the caller.

-- Who was asked to help with an incident, besides whom its policy pages.
CREATE TABLE incident_responders (
    incident_id  bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    user_id      integer NOT NULL REFERENCES users ON DELETE CASCADE,
    requested_by text NOT NULL CHECK (length(requested_by) <= 128),
    requested_at timestamptz NOT NULL,
    -- Not paged yet.
    waits        boolean NOT NULL DEFAULT true,
    -- Since when they help.
    joined_at    timestamptz,
    PRIMARY KEY (incident_id, user_id)
);
CREATE INDEX incident_responders_user ON incident_responders (user_id);

ALTER TABLE incidents
    -- Some of its responders are to be paged at once, whether or not somebody has answered.
    ADD COLUMN page_responders boolean NOT NULL DEFAULT false,
    -- What it became part of; never one that became part of another one itself.
    ADD COLUMN merged_into     bigint REFERENCES incidents ON DELETE SET NULL;
CREATE INDEX incidents_responders ON incidents (id) WHERE page_responders AND state < 3;
CREATE INDEX incidents_merged ON incidents (merged_into) WHERE merged_into IS NOT NULL;
-- The incidents of a deduplication key, also those that have ended.
CREATE INDEX incidents_key ON incidents (source_id, dedup_key, triggered_at) WHERE source_id IS NOT NULL;
