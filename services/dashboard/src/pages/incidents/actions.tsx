import { useState } from "react";
import { call } from "../../api/client.ts";
import { useMembers } from "../../api/oncall.ts";
import { useSession } from "../../api/session.ts";
import type { Incident } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, Dialog, Form, IconButton, Input, Select } from "../../ui/kit.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { like } from "../oncall/matchers.ts";
import { SilenceDialog } from "../oncall/silencedialog.tsx";
import { MergeDialog } from "./mergedialog.tsx";

type Act = { path: string; body?: unknown };
/** What an answer changes: resolving an incident resolves its issue. */
const TOUCHES = ["incident", "incidents", "issue", "issues", "issue-part"];
const SNOOZES = [[15, "15 minutes"], [60, "1 hour"], [240, "4 hours"], [720, "12 hours"], [1440, "1 day"], [10_080, "1 week"]] as const;

/** Asks for somebody of the team, who is paged then. */
function PickPerson({ incident, title, help, busy, onPick, onClose }: { incident: Incident; title: string; help: string; busy: boolean; onPick: (user: number) => void; onClose: () => void }) {
  const members = useMembers(incident.team ?? undefined).data ?? [];
  const [chosen, setChosen] = useState("");
  return (
    <Dialog title={title} onClose={onClose}>
      <Form onSubmit={() => chosen !== "" && onPick(Number(chosen))}>
        <Select
          label="Whom" value={chosen} onChange={(event) => setChosen(event.target.value)} help={help}
          options={[["", "Choose…"], ...members.filter((m) => !m.disabled).map((m) => [String(m.id), `${m.name} (${m.email})`] as const)]}
        />
        <div className="dialogactions"><Button type="submit" look="primary" busy={busy} disabled={chosen === ""}>Page them</Button></div>
      </Form>
    </Dialog>
  );
}

function Snooze({ onPick, onClose }: { onPick: (minutes: number) => void; onClose: () => void }) {
  const [minutes, setMinutes] = useState("30");
  const count = Number(minutes);
  const good = Number.isInteger(count) && count >= 1 && count <= 10_080;
  return (
    <Dialog title="Snooze" onClose={onClose}>
      <Form onSubmit={() => good && onPick(count)}>
        <Input label="Minutes" type="number" min={1} max={10_080} value={minutes} onChange={(event) => setMinutes(event.target.value)} error={good ? undefined : "1 to 10080: a week"} help="Then its policy begins again." />
        <div className="dialogactions"><Button type="submit" look="primary" disabled={!good}>Snooze</Button></div>
      </Form>
    </Dialog>
  );
}

type Asked = "reassign" | "snooze" | "silence" | "responder" | "merge";

/** What is asked before it is done. */
function Question({ asked, incident, busy, go, onClose }: { asked: Asked; incident: Incident; busy: boolean; go: (path: string, body?: unknown) => void; onClose: () => void }) {
  const person = { incident, busy, onClose };
  switch (asked) {
    case "reassign": return <PickPerson {...person} title="Give it to somebody" help="They are paged at once, and only they. When they do not answer, the policy goes on." onPick={(user) => go("reassign", { user })} />;
    case "responder": return <PickPerson {...person} title="Ask somebody to help" help="They are paged at once, whoever has it. The policy goes on as if they had not been." onPick={(user) => go("responders", { user })} />;
    case "snooze": return <Snooze onPick={(minutes) => go("snooze", { minutes })} onClose={onClose} />;
    case "merge": return <MergeDialog incident={incident} onClose={onClose} />;
    default: return incident.team === null ? null : <SilenceDialog about={{ team: incident.team, matchers: like(incident) }} note="This incident goes on: snooze it, too." onClose={onClose} />;
  }
}

/** What one does with an open incident. What does not apply any more, the server says. */
export function Actions({ incident }: { incident: Incident }) {
  const session = useSession();
  const [asked, ask] = useState<Asked | null>(null);
  const act = useChange(({ path, body }: Act) => call("POST", `/incidents/${incident.id}/${path}`, body === undefined ? {} : { body }), { touches: TOUCHES });
  const go = (path: string, body?: unknown): void => {
    ask(null);
    act.mutate(body === undefined ? { path } : { path, body });
  };
  const busy = act.isPending;
  const me = session.kind === "user" ? session.user.id : undefined;
  const amAsked = incident.responders.some((one) => one.user === me && one.joined_at === null);
  return (
    <div className="headactions">
      {incident.state === "triggered" && <Button look="primary" icon="check" busy={busy} onClick={() => go("acknowledge")}>Acknowledge</Button>}
      {incident.state === "acknowledged" && amAsked && <Button look="primary" icon="check" busy={busy} onClick={() => go("acknowledge")}>I help</Button>}
      {incident.state === "acknowledged" && <Button icon="reopen" busy={busy} onClick={() => go("unacknowledge")}>Un-acknowledge</Button>}
      <Confirm title="Resolve the incident?" action="Resolve" onConfirm={() => go("resolve")} body={incident.origin === "issue" ? "Nobody is paged for it any more, and its issue is resolved too. When the error comes again, that is a regression, and opens another incident." : "Nobody is paged for it any more. When an alert tells of it again, that opens another incident."}>
        {(confirm) => <Button look={incident.state === "triggered" || amAsked ? "" : "primary"} icon="check" busy={busy} onClick={confirm}>Resolve</Button>}
      </Confirm>
      <Menu trigger={<Button icon="ignore" busy={busy}>Snooze</Button>}>
        {SNOOZES.map(([minutes, label]) => <MenuItem key={minutes} onSelect={() => go("snooze", { minutes })}>{label}</MenuItem>)}
        <MenuItem onSelect={() => ask("snooze")}>Some other time…</MenuItem>
      </Menu>
      <Button icon="up" busy={busy} onClick={() => go("escalate")}>Escalate</Button>
      <Button icon="assign" busy={busy} onClick={() => ask("reassign")}>Reassign</Button>
      <Menu align="end" trigger={<IconButton icon="dots" label="More" />}>
        <MenuItem icon="user" onSelect={() => ask("responder")}>Ask somebody to help…</MenuItem>
        {incident.team !== null && <MenuItem icon="right" onSelect={() => ask("merge")}>Merge into another incident…</MenuItem>}
        {incident.team !== null && <MenuItem icon="notifications" onSelect={() => ask("silence")}>Silence this…</MenuItem>}
      </Menu>
      {asked !== null && <Question asked={asked} incident={incident} busy={busy} go={go} onClose={() => ask(null)} />}
    </div>
  );
}
