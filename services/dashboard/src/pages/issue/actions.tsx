import { useState } from "react";
import type { Issue } from "../../api/types.ts";
import { neutralise } from "../../lib/text.ts";
import { Button, Dialog, Form, IconButton, Input, Select } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu.tsx";
import type { Change } from "../issues/triage.ts";

interface Props { busy: boolean; act: (change: Change) => void }

/** Resolves now, or says which release does it. */
export function Resolve({ issue, busy, act }: Props & { issue: Issue }) {
  const [naming, setNaming] = useState(false);
  const newest = issue.releases?.[0];
  return (
    <span className="splitbutton">
      <Button look="primary" icon="check" busy={busy} onClick={() => act({ status: "resolved" })}>Resolve</Button>
      <Menu trigger={<IconButton icon="down" label="Resolve in …" className="primary" />}>
        <MenuLabel>Older releases that still run do not bring it back</MenuLabel>
        <MenuItem onSelect={() => act({ status: "resolved", resolved_in: "next" })}>In the next release</MenuItem>
        {newest !== undefined && <MenuItem onSelect={() => act({ status: "resolved", resolved_in: { release: newest } })}>In {neutralise(newest).slice(0, 60)}</MenuItem>}
        <MenuItem onSelect={() => setNaming(true)}>In another release or a commit …</MenuItem>
      </Menu>
      {naming && <ResolveIn act={act} onClose={() => setNaming(false)} />}
    </span>
  );
}

function ResolveIn({ act, onClose }: { act: (change: Change) => void; onClose: () => void }) {
  const [kind, setKind] = useState<"release" | "commit">("release");
  const [name, setName] = useState("");
  const done = (): void => {
    if (name.trim() === "") return;
    act({ status: "resolved", resolved_in: kind === "release" ? { release: name.trim() } : { commit: name.trim() } });
    onClose();
  };
  return (
    <Dialog title="Resolve in" onClose={onClose}>
      <Form onSubmit={done}>
        <Select label="By" value={kind} onChange={(event) => setKind(event.target.value === "commit" ? "commit" : "release")} options={[["release", "a release"], ["commit", "a commit"]]} />
        <Input label={kind === "release" ? "Release" : "Commit"} value={name} onChange={(event) => setName(event.target.value)} maxLength={200} autoComplete="off" spellCheck={false} help={kind === "release" ? "As apps send it, as in shop@1.4.2" : "Its id, or how it begins; the first release that has it resolves the issue"} />
        <div className="dialogactions"><Button type="submit" look="primary">Resolve</Button></div>
      </Form>
    </Dialog>
  );
}

const HOURS: [number, string][] = [[1, "For an hour"], [24, "For a day"], [168, "For a week"]];

/** Ignores for ever, or until something happens. */
export function Ignore({ busy, act, small = false }: Props & { small?: boolean }) {
  const [asking, setAsking] = useState<"events" | "users" | null>(null);
  const later = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
  return (
    <>
      <Menu trigger={<Button icon="ignore" busy={busy} small={small}>Ignore</Button>}>
        <MenuItem onSelect={() => act({ status: "ignored" })}>For ever</MenuItem>
        <MenuItem onSelect={() => act({ status: "ignored", ignore_until: { escalates: true } })}>Until it escalates</MenuItem>
        <MenuLine />
        {HOURS.map(([hours, label]) => <MenuItem key={hours} onSelect={() => act({ status: "ignored", ignore_until: { time: later(hours) } })}>{label}</MenuItem>)}
        <MenuLine />
        <MenuItem onSelect={() => setAsking("events")}>Until more events …</MenuItem>
        <MenuItem onSelect={() => setAsking("users")}>Until more users …</MenuItem>
      </Menu>
      {asking !== null && <IgnoreUntil what={asking} act={act} onClose={() => setAsking(null)} />}
    </>
  );
}

function IgnoreUntil({ what, act, onClose }: { what: "events" | "users"; act: (change: Change) => void; onClose: () => void }) {
  const [count, setCount] = useState("100");
  const number = Number(count);
  const done = (): void => {
    if (!(number >= 1)) return;
    act({ status: "ignored", ignore_until: what === "events" ? { events: number } : { users: number } });
    onClose();
  };
  return (
    <Dialog title={`Ignore until more ${what}`} onClose={onClose}>
      <Form onSubmit={done}>
        <Input label={what === "events" ? "So many more events" : "So many more users"} type="number" min={1} value={count} onChange={(event) => setCount(event.target.value)} />
        <div className="dialogactions"><Button type="submit" look="primary">Ignore</Button></div>
      </Form>
    </Dialog>
  );
}
