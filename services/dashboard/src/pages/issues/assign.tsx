import { useState } from "react";
import { usePeople, useTeams } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { Assignee } from "./triage.ts";
import { Button, Dialog, Form, Input } from "../../ui/kit.tsx";

/** Picks who an issue belongs to: a person, a team, or any name where there are no accounts. */
export function AssignDialog({ current, onPick, onClose }: { current: string | null; onPick: (to: Assignee) => void; onClose: () => void }) {
  const session = useSession();
  const people = usePeople();
  const teams = useTeams();
  const [text, setText] = useState(current ?? "");
  const me = session.kind === "user" ? session.user : null;
  const typed = text.toLowerCase();
  const names = [...(people.data ?? []).filter((p) => p.disabled !== true).map((p) => ({ id: p.email, name: p.name, to: { user: p.id } })), ...(teams.data ?? []).map((t) => ({ id: `#${t.name}`, name: `Team ${t.name}`, to: { team: t.id } }))].filter(
    ({ id, name }) => text === current || id.toLowerCase().includes(typed) || name.toLowerCase().includes(typed),
  );
  return (
    <Dialog title="Assign" onClose={onClose}>
      <Form onSubmit={() => onPick(text.trim() === "" ? null : text.trim())}>
        <Input label="To whom" value={text} onChange={(event) => setText(event.target.value)} maxLength={128} autoComplete="off" autoFocus help="A person's name or address, or pick a team. Empty is nobody." />
        {names.length > 0 && (
          <ul className="picks">
            {names.slice(0, 8).map(({ id, name, to }) => (
              <li key={id}>
                <button type="button" onClick={() => onPick(to)}>
                  {name} <span className="muted">{id}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        <div className="dialogactions">
          {me !== null && me.email !== current && me.name !== current && <Button onClick={() => onPick({ user: me.id })}>Assign to me</Button>}
          {current !== null && <Button onClick={() => onPick(null)}>Nobody</Button>}
          <Button type="submit" look="primary">
            Assign
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
