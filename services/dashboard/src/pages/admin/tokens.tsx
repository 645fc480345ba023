import { useState } from "react";
import { call } from "../../api/client.ts";
import { useIfThere, useTeams } from "../../api/queries.ts";
import type { ApiToken } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Check, Dialog, Empty, Failure, Form, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Code, Time } from "../../ui/text.tsx";

const SCOPES = [
  ["read", "See everything"],
  ["triage", "Work on issues"],
  ["write", "Change projects, keys, destinations"],
  ["admin", "Administer Bugle"],
] as const;
const LIVES = [["30", "30 days"], ["90", "90 days"], ["365", "a year"], ["", "for ever"]] as const;

function NewToken({ admin, onClose, onToken }: { admin: boolean; onClose: () => void; onToken: (token: string) => void }) {
  const teams = useTeams().data ?? [];
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read"]);
  const [team, setTeam] = useState(admin ? "" : String(teams[0]?.id ?? ""));
  const [days, setDays] = useState("90");
  const create = useChange(
    () => call<ApiToken>("POST", "/tokens", { body: { name: name.trim(), scopes, team: team === "" ? null : Number(team), expires_at: days === "" ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString() } }),
    { touches: ["tokens"] },
  );
  return (
    <Dialog title="New API token" onClose={onClose}>
      <Form onSubmit={() => create.mutate(undefined, { onSuccess: (made) => { onClose(); if (made.token !== undefined) onToken(made.token); } })}>
        <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} error={create.wrong("name")} placeholder="ci" autoFocus required />
        <fieldset>
          <legend>May</legend>
          {SCOPES.filter(([scope]) => admin || scope !== "admin").map(([scope, what]) => (
            <Check key={scope} label={scope} help={what} checked={scopes.includes(scope)} onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((s) => s !== scope))} />
          ))}
          {create.wrong("scopes") !== undefined && <p className="bad" role="alert">{create.wrong("scopes")}</p>}
        </fieldset>
        <Select label="Where" value={team} onChange={(event) => setTeam(event.target.value)} options={[...(admin ? [["", "Everywhere"] as const] : []), ...teams.map((t) => [String(t.id), `Team ${t.name}`] as const)]} error={create.wrong("team")} />
        <Select label="Works for" value={days} onChange={(event) => setDays(event.target.value)} options={LIVES} error={create.wrong("expires_at")} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={create.isPending}>Create</Button></div>
      </Form>
    </Dialog>
  );
}

export function Tokens({ admin }: { admin: boolean }) {
  const tokens = useIfThere<ApiToken>("tokens", "/tokens");
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const revoke = useChange((id: number) => call("DELETE", `/tokens/${id}`), { touches: ["tokens"], done: "The token is revoked" });
  if (tokens.isPending) return <Skeleton />;
  if (tokens.isError) return <Failure error={tokens.error} retry={() => void tokens.refetch()} />;
  if (tokens.data === null) return <Panel><Absent what="Managing API tokens here" /><p className="pad muted">On the server: <code>bugle token create</code>, <code>list</code>, <code>revoke</code>.</p></Panel>;
  return (
    <Panel title="API tokens" actions={<Button small icon="plus" onClick={() => setCreating(true)}>New token</Button>}>
      {made !== null && (
        <div className="pad secretbox" role="status">
          <p><strong>The new token.</strong> It is shown this once.</p>
          <Code text={made} label="Token" />
        </div>
      )}
      {tokens.data.length === 0 && <Empty icon="admin" title="No tokens">Programs use them to call the API.</Empty>}
      <ul className="rows">
        {tokens.data.map((t) => (
          <li key={t.id}>
            <div className="grow">
              <strong>{t.name}</strong> {t.scopes.map((scope) => <span key={scope} className="tag">{scope}</span>)}
              <div><small className="muted">
                {t.created_by === null ? "made on the command line" : <>by {t.created_by.name}</>} · {t.last_used_at === null ? "never used" : <>last used <Time at={t.last_used_at} /></>} · {t.expires_at === null ? "works for ever" : <>ends <Time at={t.expires_at} /></>}
              </small></div>
            </div>
            <Confirm title={`Revoke ${t.name}?`} action="Revoke" onConfirm={() => revoke.mutate(t.id)} body="Whatever uses this token is refused at once.">
              {(ask) => <Button small look="danger" onClick={ask}>Revoke</Button>}
            </Confirm>
          </li>
        ))}
      </ul>
      {creating && <NewToken admin={admin} onClose={() => setCreating(false)} onToken={setMade} />}
    </Panel>
  );
}
