import { useState } from "react";
import { call } from "../../api/client.ts";
import { useContactMethods, useNotificationRules } from "../../api/oncall.ts";
import type { NotificationRule, Priority } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { minutes } from "../../lib/time.ts";
import { Button, Dialog, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

const PRIORITIES = [["low", "Every incident"], ["medium", "Medium and above"], ["high", "High and above"], ["critical", "Critical only"]] as const satisfies readonly (readonly [Priority, string])[];
const UP_TO = [["", "And all above"], ["low", "Low only"], ["medium", "Up to medium"], ["high", "Up to high"]] as const;
const DIGESTS = [["", "Each by itself"], ["hourly", "Together, at each full hour"], ["daily", "Together, at 9 in the morning"]] as const;
const BASE = "/account/notification-rules";

function AddDialog({ onClose }: { onClose: () => void }) {
  const methods = useContactMethods().data ?? [];
  const [method, setMethod] = useState(methods[0]?.id);
  const [delay, setDelay] = useState("0");
  const [priority, setPriority] = useState<Priority>("low");
  const [most, setMost] = useState<Priority | "">("");
  const [digest, setDigest] = useState("");
  const body = { contact_method: method, delay_minutes: Number(delay), min_priority: priority, ...(most === "" ? {} : { max_priority: most }), ...(digest === "" ? {} : { digest }) };
  const add = useChange(() => call("POST", BASE, { body }), { touches: ["notification-rules"], done: "The rule is added" });
  return (
    <Dialog title="New notification rule" onClose={onClose}>
      <Form onSubmit={() => add.mutate(undefined, { onSuccess: onClose })}>
        <Select label="Tell me by" value={String(method ?? "")} onChange={(event) => setMethod(Number(event.target.value))} options={methods.map((one) => [String(one.id), `${one.name} (${one.channel})`] as const)} error={add.wrong("contact_method")} />
        <Input label="Minutes after the page" type="number" min={0} max={9000} value={delay} onChange={(event) => setDelay(event.target.value)} error={add.wrong("delay_minutes")} help="When nobody has answered until then; 0 is at once" />
        <Select label="For which incidents" value={priority} onChange={(event) => setPriority(event.target.value as Priority)} options={PRIORITIES} error={add.wrong("min_priority")} />
        <Select label="And no higher ones" value={most} onChange={(event) => setMost(event.target.value as Priority | "")} options={UP_TO} error={add.wrong("max_priority")} />
        <Select label="How" value={digest} onChange={(event) => setDigest(event.target.value)} options={DIGESTS} error={add.wrong("digest")} help="By the clock of your account's time zone. The escalation goes on meanwhile." />
        <div className="dialogactions"><Button type="submit" look="primary" busy={add.isPending}>Add</Button></div>
      </Form>
    </Dialog>
  );
}

function timeOf({ delay_minutes: delay, digest }: NotificationRule): string {
  const later = delay === 0 ? "" : `, after ${minutes(delay)}`;
  if (digest === "hourly") return `Together at each full hour${later}`;
  if (digest === "daily") return `Together at 9 in the morning${later}`;
  return delay === 0 ? "At once" : `After ${minutes(delay)}`;
}

function Row({ rule }: { rule: NotificationRule }) {
  const method = useContactMethods().data?.find((one) => one.id === rule.contact_method);
  const remove = useChange(() => call("DELETE", `${BASE}/${rule.id}`), { touches: ["notification-rules"], done: "The rule is removed" });
  const when = timeOf(rule);
  const name = method?.name ?? `contact method ${rule.contact_method}`;
  return (
    <li>
      <div className="grow">
        <strong>{when} by <Untrusted limit={64}>{name}</Untrusted></strong>
        <div className="muted">
          {PRIORITIES.find(([id]) => id === rule.min_priority)?.[1]}{rule.max_priority !== null && rule.max_priority !== undefined && `, up to ${rule.max_priority}`}
          {method !== undefined && (method.verified_at === null || !method.enabled) && <span className="bad"> · does not work until the contact method is verified</span>}
        </div>
      </div>
      <IconButton icon="trash" label={`Remove the rule: ${when} by ${name}`} onClick={() => remove.mutate(undefined)} />
    </li>
  );
}

/** By what somebody is told, and how soon. */
export function NotificationRules() {
  const rules = useNotificationRules();
  const methods = useContactMethods();
  const [adding, setAdding] = useState(false);
  const some = (methods.data?.length ?? 0) > 0;
  return (
    <Panel title="My notification rules" actions={<Button small icon="plus" disabled={!some} onClick={() => setAdding(true)}>New rule</Button>}>
      {rules.isPending && <Skeleton rows={2} />}
      {rules.isError && <Failure error={rules.error} retry={() => void rules.refetch()} />}
      {rules.data?.length === 0 && <p className="pad muted">{some ? "None yet: you are told at once by every contact method that is verified." : "A rule says by which contact method you are told, and how soon. Add a contact method first."}</p>}
      <ol className="rows">{rules.data?.map((rule) => <Row key={rule.id} rule={rule} />)}</ol>
      {(rules.data?.length ?? 0) > 0 && <p className="pad muted">An incident below the priority of every rule does not page you.</p>}
      {adding && <AddDialog onClose={() => setAdding(false)} />}
    </Panel>
  );
}
