import { useState } from "react";
import { call } from "../../api/client.ts";
import { useIfThere, useTeams } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { Invitation, Person, Role, TeamRole } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Absent, Button, Dialog, Empty, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Code, Time } from "../../ui/text.tsx";
import { TEAM_ROLES } from "./teams.tsx";

export function People({ admin }: { admin: boolean }) {
  const people = useIfThere<Person>("users", "/users");
  const session = useSession();
  const owner = session.kind === "token" || (session.kind === "user" && session.user.role === "owner");
  const change = useChange(({ id, body }: { id: number; body: { role?: Role; disabled?: boolean } }) => call("PATCH", `/users/${id}`, { body }), { touches: ["users"], done: "Saved" });
  if (people.isPending) return <Skeleton />;
  if (people.isError) return <Failure error={people.error} retry={() => void people.refetch()} />;
  if (people.data === null) return <Panel><Absent what="The list of people" /></Panel>;
  const me = session.kind === "user" ? session.user.id : 0;
  const row = (person: Person) => {
    const may = admin && person.id !== me && (owner || person.role !== "owner");
    return (
      <Row key={person.id} className={person.disabled === true ? "off" : ""}>
        <Cell>
          <strong>{person.name}</strong> {person.id === me && <span className="muted">(you)</span>} {person.disabled === true && <span className="tag">disabled</span>}
          <div className="muted">{person.email}</div>
        </Cell>
        <Cell>
          {may ? (
            <select aria-label={`Role of ${person.name}`} value={person.role} onChange={(event) => change.mutate({ id: person.id, body: { role: event.target.value as Role } })}>
              {(owner ? ["owner", "admin", "member"] : ["admin", "member"]).map((role) => <option key={role}>{role}</option>)}
            </select>
          ) : (
            person.role
          )}
        </Cell>
        <Cell>{person.teams?.map((t) => t.name).join(", ") ?? <span className="muted">–</span>}</Cell>
        <Cell>{person.totp === undefined ? "–" : person.totp ? "on" : "off"}</Cell>
        <Cell>{may && <Button small onClick={() => change.mutate({ id: person.id, body: { disabled: person.disabled !== true } })}>{person.disabled === true ? "Enable" : "Disable"}</Button>}</Cell>
      </Row>
    );
  };
  return (
    <Table label="People" columns={["Who", "Role", "Teams", "Second factor", { name: "Actions", right: true, unnamed: true }]}>
      {people.data.map(row)}
    </Table>
  );
}

function InviteDialog({ onClose, onLink }: { onClose: () => void; onLink: (link: string) => void }) {
  const teams = useTeams().data ?? [];
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("member");
  const [team, setTeam] = useState(String(teams[0]?.id ?? ""));
  const [teamRole, setTeamRole] = useState<TeamRole>("member");
  const invite = useChange(() => call<Invitation>("POST", "/invitations", { body: { email: email.trim(), role, team: team === "" ? null : Number(team), ...(team === "" ? {} : { team_role: teamRole }) } }), { touches: ["invitations"], done: "The invitation is made" });
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <Form onSubmit={() => invite.mutate(undefined, { onSuccess: (made) => { onClose(); if (made.link !== undefined) onLink(made.link); } })}>
        <Input label="Email" type="email" value={email} onChange={(event) => setEmail(event.target.value)} error={invite.wrong("email")} autoFocus required />
        <Select label="Role in Bugle" value={role} onChange={(event) => setRole(event.target.value)} options={[["member", "Member"], ["admin", "Admin: may do everything"]]} error={invite.wrong("role")} />
        <Select label="Team" value={team} onChange={(event) => setTeam(event.target.value)} options={[["", "None"], ...teams.map((t) => [String(t.id), t.name] as const)]} error={invite.wrong("team")} />
        {team !== "" && <Select label="Role in the team" value={teamRole} onChange={(event) => setTeamRole(event.target.value as TeamRole)} options={TEAM_ROLES} error={invite.wrong("team_role")} />}
        <div className="dialogactions"><Button type="submit" look="primary" busy={invite.isPending}>Invite</Button></div>
      </Form>
    </Dialog>
  );
}

export function Invitations() {
  const invitations = useIfThere<Invitation>("invitations", "/invitations");
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const remove = useChange((id: number) => call("DELETE", `/invitations/${id}`), { touches: ["invitations"], done: "The invitation is withdrawn" });
  if (invitations.isPending) return <Skeleton />;
  if (invitations.isError) return <Failure error={invitations.error} retry={() => void invitations.refetch()} />;
  if (invitations.data === null) return <Panel><Absent what="Inviting people" /></Panel>;
  return (
    <Panel title="Invitations" actions={<Button small icon="plus" onClick={() => setInviting(true)}>Invite somebody</Button>}>
      {link !== null && (
        <div className="pad secretbox" role="status">
          <p>It was mailed if Bugle has a mail server. Or hand over this link; it works once, for seven days.</p>
          <Code text={link} label="Invitation link" />
        </div>
      )}
      {invitations.data.length === 0 && <Empty icon="user" title="Nobody is invited">Those who were, and came, are among the people.</Empty>}
      <ul className="rows">
        {invitations.data.map((i) => (
          <li key={i.id}>
            <div className="grow">
              <strong>{i.email}</strong>
              <div className="muted">as {i.role}{i.expires_at === undefined ? "" : <> · ends <Time at={i.expires_at} /></>}</div>
            </div>
            <IconButton icon="trash" label={`Withdraw the invitation of ${i.email}`} onClick={() => remove.mutate(i.id)} />
          </li>
        ))}
      </ul>
      {inviting && <InviteDialog onClose={() => setInviting(false)} onLink={setLink} />}
    </Panel>
  );
}
