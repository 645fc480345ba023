import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useKeys, useProjects, useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Project } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { Absent, Button, ButtonLink, Dialog, Failure, Form, Input, Page, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Problem } from "../../api/client.ts";
import { Destinations } from "./destinations.tsx";
import { Discards } from "./discards.tsx";
import { Grouping } from "./grouping.tsx";
import { Guide } from "./guide.tsx";
import { Keys } from "./keys.tsx";
import { OwnershipTab } from "./ownership.tsx";
import { Filters, Retention, Scrubbing } from "./settings.tsx";

function General({ project, manage, admin }: { project: Project; manage: boolean; admin: boolean }) {
  const teams = useTeams().data ?? [];
  const navigate = useNavigate();
  const [name, setName] = useState(project.name);
  const [team, setTeam] = useState(String(project.team?.id ?? ""));
  const [deleting, setDeleting] = useState(false);
  const [typed, setTyped] = useState("");
  const save = useChange(() => call("PATCH", `/projects/${project.id}`, { body: { name: name.trim(), ...(team === "" ? {} : { team: Number(team) }) } }), { touches: ["projects"], done: "Saved" });
  const remove = useChange(() => call("DELETE", `/projects/${project.id}`), { touches: ["projects", "issues"], done: `${project.name} is deleted` });
  return (
    <>
      <Panel title="General">
        <Form className="formbody narrow" onSubmit={() => save.mutate(undefined)}>
          <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} maxLength={64} error={save.wrong("name")} disabled={!manage} help={`Issues keep the prefix ${project.prefix}.`} />
          {teams.length > 0 && <Select label="Team" value={team} onChange={(event) => setTeam(event.target.value)} disabled={!admin} options={teams.map((t) => [String(t.id), t.name] as const)} error={save.wrong("team")} />}
          {manage && <Button type="submit" look="primary" busy={save.isPending}>Save</Button>}
        </Form>
      </Panel>
      {admin && (
        <Panel title="Delete">
          <div className="formbody">
            <p>Deletes the project with all its issues, events and keys. Apps that still send are refused.</p>
            <Button look="danger" icon="trash" onClick={() => setDeleting(true)}>Delete {project.name}</Button>
          </div>
        </Panel>
      )}
      {deleting && (
        <Dialog title={`Delete ${project.name}?`} onClose={() => setDeleting(false)}>
          <Form onSubmit={() => typed === project.name && remove.mutate(undefined, { onSuccess: () => navigate("/projects") })}>
            <Input label={`Type ${project.name} to go on`} value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" autoFocus />
            <div className="dialogactions">
              <Button type="submit" look="danger" disabled={typed !== project.name} busy={remove.isPending}>Delete for ever</Button>
            </div>
          </Form>
        </Dialog>
      )}
    </>
  );
}

function SetUp({ project }: { project: Project }) {
  const keys = useKeys(String(project.id));
  if (keys.isPending) return <Skeleton />;
  if (keys.isError) return <Failure error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data === null) return <Panel><Absent what="The list of a project's keys" /><p className="pad muted">On the server, <code>bugle key list {project.name}</code> shows its DSN.</p></Panel>;
  const key = keys.data.find((k) => k.enabled);
  return key === undefined ? <Panel><p className="pad">No key is enabled. <Link to="?tab=keys">Make one</Link> first.</p></Panel> : <Guide dsn={key.dsn} project={project.id} />;
}

export default function ProjectPage() {
  const { id = "" } = useParams();
  const projects = useProjects();
  const session = useSession();
  const project = projects.data?.find((p) => String(p.id) === id || p.name === id);
  useTitle(project?.name ?? "Project");
  if (projects.isPending) return <Skeleton />;
  if (project === undefined) return <Failure whole error={projects.error ?? new Problem(404, "not_found", "no such project")} retry={() => void projects.refetch()} />;
  const { admin, manage, triage } = accessTo(session, project.team?.id);
  return (
    <Page title={project.name} lead={<><span className="shortid">{project.prefix}</span>{project.team === null || project.team === undefined ? "" : ` · ${project.team.name}`}</>} actions={<ButtonLink to={`/issues?project=${encodeURIComponent(project.name)}`}>Issues</ButtonLink>}>
      <Tabs
        label="Project"
        tabs={[
          { id: "general", label: "General", content: () => <General key={project.id} project={project} manage={manage} admin={admin} /> },
          { id: "setup", label: "Set-up", content: () => <SetUp project={project} /> },
          { id: "keys", label: "Keys", content: () => <Keys project={project} manage={manage} /> },
          { id: "destinations", label: "Destinations", content: () => <Destinations project={project} manage={manage} /> },
          { id: "ownership", label: "Ownership", content: () => <OwnershipTab project={project} manage={manage} /> },
          { id: "filters", label: "Filters", content: () => <><Filters project={project} manage={manage} /><Discards project={project} triage={triage} /></> },
          { id: "scrubbing", label: "Scrubbing", content: () => <Scrubbing project={project} manage={manage} /> },
          { id: "grouping", label: "Grouping", content: () => <Grouping project={project} manage={manage} /> },
          { id: "retention", label: "Retention and quota", content: () => <Retention project={project} manage={manage} /> },
        ]}
      />
    </Page>
  );
}
