import { useState } from "react";
import { call } from "../../api/client.ts";
import { useIfThere, usePeople, useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Member, Team, TeamRole } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Dialog, Empty, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";

export const TEAM_ROLES = [
  ["manager", "Manager: settings, keys, people"],
  ["member", "Member: works on issues"],
  ["viewer", "Viewer: reads"],
] as const;

const idOf = (member: Member): number => member.user_id ?? member.id ?? 0;

function Members({ team, manage, onClose }: { team: Team; manage: boolean; onClose: () => void }) {
  const base = `/teams/${team.id}/members`;
  const members = useIfThere<Member>("members", base);
  const people = usePeople().data ?? [];
  const [adding, setAdding] = useState("");
  const touches = ["members", "teams", "users"];
  const put = useChange(({ id, role }: { id: number; role: TeamRole }) => call("PUT", `${base}/${id}`, { body: { role } }), { touches });
  const remove = useChange((id: number) => call("DELETE", `${base}/${id}`), { touches });
  const others = people.filter((p) => p.disabled !== true && !members.data?.some((m) => idOf(m) === p.id));
  return (
    <Dialog title={`People of ${team.name}`} onClose={onClose} wide>
      {members.isPending && <Skeleton rows={3} />}
      {members.isError && <Failure error={members.error} />}
      {members.data?.length === 0 && <p className="muted">Nobody is in it yet.</p>}
      <ul className="rows">
        {members.data?.map((m) => (
          <li key={idOf(m)}>
            <div className="grow">
              <strong>{m.name}</strong>
              <div className="muted">{m.email}</div>
            </div>
            {manage ? (
              <>
                <select aria-label={`Role of ${m.name}`} value={m.role} onChange={(event) => put.mutate({ id: idOf(m), role: event.target.value as TeamRole })}>
                  {TEAM_ROLES.map(([role]) => <option key={role} value={role}>{role}</option>)}
                </select>
                <IconButton icon="close" label={`Remove ${m.name} from the team`} onClick={() => remove.mutate(idOf(m))} />
              </>
            ) : (
              <span className="tag">{m.role}</span>
            )}
          </li>
        ))}
      </ul>
      {manage && others.length > 0 && (
        <Form className="inline" onSubmit={() => adding !== "" && put.mutate({ id: Number(adding), role: "member" }, { onSuccess: () => setAdding("") })}>
          <Select label="Add somebody" value={adding} onChange={(event) => setAdding(event.target.value)} options={[["", "Choose…"], ...others.map((p) => [String(p.id), `${p.name} (${p.email})`] as const)]} />
          <Button type="submit" look="primary" disabled={adding === ""} busy={put.isPending}>Add</Button>
        </Form>
      )}
    </Dialog>
  );
}

function Rename({ team, onClose }: { team: Team; onClose: () => void }) {
  const [name, setName] = useState(team.name);
  const save = useChange(() => call("PATCH", `/teams/${team.id}`, { body: { name: name.trim() } }), { touches: ["teams", "projects", "users"], done: "Saved" });
  return (
    <Dialog title={`Rename ${team.name}`} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} error={save.wrong("name") ?? (save.problem?.status === 409 ? "There is a team with this name." : undefined)} autoFocus />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={name.trim() === ""}>Save</Button></div>
      </Form>
    </Dialog>
  );
}

export function Teams({ admin }: { admin: boolean }) {
  const teams = useTeams();
  const session = useSession();
  const [creating, setCreating] = useState(false);
  const [open, setOpen] = useState<Team | null>(null);
  const [renaming, setRenaming] = useState<Team | null>(null);
  const [name, setName] = useState("");
  const create = useChange(() => call("POST", "/teams", { body: { name: name.trim() } }), { touches: ["teams"], done: "The team is there" });
  const remove = useChange((id: number) => call("DELETE", `/teams/${id}`), { touches: ["teams"], done: "The team is deleted" });
  if (teams.isPending) return <Skeleton />;
  if (teams.isError) return <Failure error={teams.error} retry={() => void teams.refetch()} />;
  if (teams.data === null) return <Panel><Absent what="Teams" /></Panel>;
  return (
    <Panel title="Teams" actions={admin ? <Button small icon="plus" onClick={() => setCreating(true)}>New team</Button> : null}>
      {teams.data.length === 0 && <Empty icon="user" title="No teams">A team owns projects.</Empty>}
      <ul className="rows">
        {teams.data.map((team) => (
          <li key={team.id}>
            <div className="grow">
              <strong>{team.name}</strong>
              <div className="muted">{[team.members === undefined ? "" : plural(team.members, "person", "people"), team.projects === undefined ? "" : plural(team.projects, "project")].filter(Boolean).join(" · ")}</div>
            </div>
            <Button small onClick={() => setOpen(team)}>People</Button>
            {accessTo(session, team.id).manage && <IconButton icon="edit" label={`Rename team ${team.name}`} onClick={() => setRenaming(team)} />}
            {admin && (
              <Confirm title={`Delete the team ${team.name}?`} action="Delete" onConfirm={() => remove.mutate(team.id)} body="Its people lose their roles in it. A team that owns projects has to give them away first.">
                {(ask) => <IconButton icon="trash" label={`Delete team ${team.name}`} onClick={ask} />}
              </Confirm>
            )}
          </li>
        ))}
      </ul>
      {open !== null && <Members team={open} manage={accessTo(session, open.id).manage} onClose={() => setOpen(null)} />}
      {renaming !== null && <Rename team={renaming} onClose={() => setRenaming(null)} />}
      {creating && (
        <Dialog title="New team" onClose={() => setCreating(false)}>
          <Form onSubmit={() => create.mutate(undefined, { onSuccess: () => { setCreating(false); setName(""); } })}>
            <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} error={create.wrong("name")} autoFocus />
            <div className="dialogactions"><Button type="submit" look="primary" busy={create.isPending}>Create</Button></div>
          </Form>
        </Dialog>
      )}
    </Panel>
  );
}
