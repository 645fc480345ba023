import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { all } from "../../api/queries.ts";
import type { Destination, JsonMap, Project } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, Dialog, Empty, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Code, Time, Untrusted } from "../../ui/text.tsx";

const CHANNELS = [
  ["email", "Email"],
  ["slack", "Slack"],
  ["sms", "SMS"],
  ["webhook", "Webhook"],
] as const;
type Channel = (typeof CHANNELS)[number][0];
const TARGETS: Record<Channel, [string, string]> = {
  email: ["Address", "oncall@example.com"],
  slack: ["Incoming webhook, or a channel's id", "https://hooks.slack.com/services/…"],
  sms: ["Number", "+15005550006"],
  webhook: ["URL", "https://example.com/hook"],
};
const PRIORITIES = [
  ["", "As usual for the channel"],
  ["critical", "Critical"],
  ["high", "High and above"],
  ["medium", "Medium and above"],
  ["low", "Everything"],
] as const;

function AddDialog({ project, onClose, onSecret }: { project: Project; onClose: () => void; onSecret: (secret: string) => void }) {
  const [channel, setChannel] = useState<Channel>("email");
  const [target, setTarget] = useState("");
  const [priority, setPriority] = useState("");
  const [environments, setEnvironments] = useState("");
  const [bot, setBot] = useState("");
  const [label, placeholder] = TARGETS[channel];
  const add = useChange(
    () => {
      const only = names(environments);
      const settings: JsonMap = { ...(only.length > 0 ? { environments: only } : {}), ...(channel === "slack" && bot !== "" ? { bot_token: bot } : {}) };
      return call<Destination>("POST", `/projects/${project.id}/destinations`, { body: { channel, target: target.trim(), ...(priority === "" ? {} : { min_priority: priority }), ...(Object.keys(settings).length > 0 ? { settings } : {}) } });
    },
    { touches: ["destinations"], done: "The destination is added" },
  );
  const finish = (made: Destination): void => {
    onClose();
    if (made.secret !== undefined) onSecret(made.secret);
  };
  return (
    <Dialog title="New destination" onClose={onClose}>
      <Form onSubmit={() => add.mutate(undefined, { onSuccess: finish })}>
        <Select label="How" value={channel} options={CHANNELS} onChange={(event) => setChannel(event.target.value as Channel)} />
        <Input label={label} value={target} placeholder={placeholder} onChange={(event) => setTarget(event.target.value)} error={add.wrong("target")} required autoFocus />
        {channel === "slack" && !target.startsWith("https://") && <Input label="Bot token" type="password" value={bot} onChange={(event) => setBot(event.target.value)} error={add.wrong("settings.bot_token")} help="Only with a channel's id" autoComplete="off" />}
        <Select label="From which priority on" value={priority} options={PRIORITIES} onChange={(event) => setPriority(event.target.value)} error={add.wrong("min_priority")} />
        <Input label="Only these environments" value={environments} onChange={(event) => setEnvironments(event.target.value)} placeholder="all" help="Separated by commas" error={add.wrong("settings.environments")} />
        <div className="dialogactions">
          <Button type="submit" look="primary" busy={add.isPending}>Add</Button>
        </div>
      </Form>
    </Dialog>
  );
}

const names = (text: string): string[] => text.split(",").map((name) => name.trim()).filter((name) => name !== "");

function ChangeDialog({ destination, address, onClose }: { destination: Destination; address: string; onClose: () => void }) {
  const [target, setTarget] = useState(destination.target);
  const [priority, setPriority] = useState<string>(destination.min_priority);
  const [environments, setEnvironments] = useState((destination.settings.environments ?? []).join(", "));
  const [label] = TARGETS[destination.channel as Channel];
  const change = useChange(
    () => call("PATCH", address, { body: { ...(target === destination.target ? {} : { target }), min_priority: priority, settings: { environments: names(environments) } } }),
    { touches: ["destinations"], done: "The destination is changed" },
  );
  return (
    <Dialog title="Change the destination" onClose={onClose}>
      <Form onSubmit={() => change.mutate(undefined, { onSuccess: onClose })}>
        <Input label={label} value={target} onChange={(event) => setTarget(event.target.value)} error={change.wrong("target") ?? change.wrong("settings.headers")} required autoFocus />
        <Select label="From which priority on" value={priority} options={PRIORITIES.slice(1)} onChange={(event) => setPriority(event.target.value)} error={change.wrong("min_priority")} />
        <Input label="Only these environments" value={environments} onChange={(event) => setEnvironments(event.target.value)} placeholder="all" help="Separated by commas" error={change.wrong("settings.environments")} />
        <div className="dialogactions">
          <Button type="submit" look="primary" busy={change.isPending}>Save</Button>
        </div>
      </Form>
    </Dialog>
  );
}

export function Destinations({ project, manage }: { project: Project; manage: boolean }) {
  const base = `/projects/${project.id}/destinations`;
  const list = useQuery({ queryKey: ["destinations", project.id], queryFn: ({ signal }) => all<Destination>(base, signal) });
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<Destination | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const turn = useChange(({ id, enabled }: Destination) => call("PATCH", `${base}/${id}`, { body: { enabled: !enabled } }), { touches: ["destinations"], done: "The destination is changed" });
  const test = useChange((id: number) => call("POST", `${base}/${id}/test`), { touches: ["notifications"], done: "A test is on its way; Notifications shows how it goes" });
  const remove = useChange((id: number) => call("DELETE", `${base}/${id}`), { touches: ["destinations", "notifications"], done: "The destination is removed" });
  if (list.isPending) return <Skeleton />;
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <Panel title="Who is told" actions={manage ? <Button small icon="plus" onClick={() => setAdding(true)}>New destination</Button> : null}>
      {secret !== null && (
        <div className="pad secretbox" role="status">
          <p><strong>The signing secret of the webhook.</strong> It is shown this once.</p>
          <Code text={secret} label="Signing secret" />
        </div>
      )}
      {list.data.length === 0 && <Empty icon="notifications" title="Nobody is told yet">Add a mailbox, a Slack channel, a phone or a webhook.</Empty>}
      <ul className="rows">
        {list.data.map((d) => (
          <li key={d.id} className={d.enabled ? "" : "off"}>
            <span className="tag">{d.channel}</span>
            <div className="grow">
              <div className="mono dsn"><Untrusted limit={200}>{d.target}</Untrusted></div>
              <small className="muted">
                {d.min_priority === null ? "usual priorities" : `from ${d.min_priority} on`} · made <Time at={d.created_at} />
                {d.failures > 0 && <span className="bad"> · {d.failures} failures in a row</span>}
                {!d.enabled && <span className="bad"> · switched off{d.disabled_reason !== null && <>: <Untrusted limit={200}>{d.disabled_reason}</Untrusted></>}</span>}
              </small>
            </div>
            {manage && (
              <>
                {d.enabled && <Button small icon="send" onClick={() => test.mutate(d.id)} busy={test.isPending && test.variables === d.id}>Send a test</Button>}
                <Button small onClick={() => turn.mutate(d)} busy={turn.isPending && turn.variables?.id === d.id} aria-label={`${d.enabled ? "Switch off" : "Switch on"}: ${d.channel} destination ${d.id}`}>{d.enabled ? "Switch off" : "Switch on"}</Button>
                <IconButton icon="edit" label={`Change ${d.channel} destination ${d.id}`} onClick={() => setChanging(d)} />
                <Confirm title="Remove this destination?" action="Remove" onConfirm={() => remove.mutate(d.id)} body="Nothing is sent there any more, and what was sent to it is forgotten.">
                  {(ask) => <IconButton icon="trash" label={`Remove ${d.channel} destination ${d.id}`} onClick={ask} />}
                </Confirm>
              </>
            )}
          </li>
        ))}
      </ul>
      <p className="pad muted"><Link to={`/notifications?project=${encodeURIComponent(project.name)}`}>What was sent</Link></p>
      {changing !== null && <ChangeDialog destination={changing} address={`${base}/${changing.id}`} onClose={() => setChanging(null)} />}
      {adding && <AddDialog project={project} onClose={() => setAdding(false)} onSecret={setSecret} />}
    </Panel>
  );
}
