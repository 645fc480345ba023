import { useState } from "react";
import { call } from "../../api/client.ts";
import { useKeys } from "../../api/queries.ts";
import type { Key, Project } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Dialog, Failure, Form, IconButton, Input, Panel, Skeleton } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLine } from "../../ui/menu.tsx";
import { Copy, Time } from "../../ui/text.tsx";

const number = (text: string): number | null => (text.trim() === "" ? null : Number(text));

function KeyDialog({ base, known, onClose }: { base: string; known: Key | null; onClose: () => void }) {
  const [label, setLabel] = useState(known?.label ?? "");
  const [minute, setMinute] = useState(String(known?.per_minute ?? ""));
  const [hour, setHour] = useState(String(known?.per_hour ?? ""));
  const save = useChange(() => call(known === null ? "POST" : "PATCH", known === null ? base : `${base}/${known.id}`, { body: { label: label.trim(), per_minute: number(minute), per_hour: number(hour) } }), { touches: ["keys"], done: known === null ? "A new key is ready" : "Saved" });
  return (
    <Dialog title={known === null ? "New key" : "Key"} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Label" value={label} onChange={(event) => setLabel(event.target.value)} error={save.wrong("label")} placeholder="web, backend, …" autoFocus />
        <Input label="Events a minute at most" type="number" min={1} value={minute} onChange={(event) => setMinute(event.target.value)} placeholder="no limit" error={save.wrong("per_minute")} />
        <Input label="Events an hour at most" type="number" min={1} value={hour} onChange={(event) => setHour(event.target.value)} placeholder="no limit" error={save.wrong("per_hour")} />
        <div className="dialogactions">
          <Button type="submit" look="primary" busy={save.isPending}>{known === null ? "Create" : "Save"}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

export function Keys({ project, manage }: { project: Project; manage: boolean }) {
  const keys = useKeys(String(project.id));
  const base = `/projects/${project.id}/keys`;
  const [editing, setEditing] = useState<Key | "new" | null>(null);
  const enable = useChange((key: Key) => call("PATCH", `${base}/${key.id}`, { body: { enabled: !key.enabled } }), { touches: ["keys"] });
  const rotate = useChange((key: Key) => call("POST", `${base}/${key.id}/rotate`), { touches: ["keys"], done: "There is a new key; give it to the apps" });
  const remove = useChange((key: Key) => call("DELETE", `${base}/${key.id}`), { touches: ["keys"], done: "The key is deleted" });
  if (keys.isPending) return <Skeleton />;
  if (keys.isError) return <Failure error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data === null) return <Panel><Absent what="Managing keys here" /></Panel>;
  return (
    <Panel title="Keys" actions={manage ? <Button small icon="plus" onClick={() => setEditing("new")}>New key</Button> : null}>
      <ul className="rows">
        {keys.data.map((key) => (
          <li key={key.id} className={key.enabled ? "" : "off"}>
            <div className="grow">
              <strong>{key.label === "" ? "Key" : key.label}</strong> {!key.enabled && <span className="tag">disabled</span>}
              <div className="mono dsn">{key.dsn}</div>
              <small className="muted">
                made <Time at={key.created_at} />
                {key.per_minute !== null && ` · ${key.per_minute} a minute`}
                {key.per_hour !== null && ` · ${key.per_hour} an hour`}
              </small>
            </div>
            <Copy text={key.dsn} label="Copy DSN" />
            {manage && (
              <Confirm title="Delete this key?" action="Delete" onConfirm={() => remove.mutate(key)} body="Apps that still use it are refused at once. Disabling can be undone; this cannot.">
                {(ask) => (
                  <Menu align="end" trigger={<IconButton icon="dots" label={`Key ${key.label}: more`} />}>
                    <MenuItem onSelect={() => setEditing(key)}>Label and quota</MenuItem>
                    <MenuItem onSelect={() => enable.mutate(key)}>{key.enabled ? "Disable" : "Enable"}</MenuItem>
                    <MenuItem onSelect={() => rotate.mutate(key)}>Rotate</MenuItem>
                    <MenuLine />
                    <MenuItem icon="trash" danger onSelect={ask}>Delete</MenuItem>
                  </Menu>
                )}
              </Confirm>
            )}
          </li>
        ))}
      </ul>
      {editing !== null && <KeyDialog base={base} known={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </Panel>
  );
}
