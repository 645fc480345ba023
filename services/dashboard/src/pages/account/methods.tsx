import { useState } from "react";
import { call } from "../../api/client.ts";
import { useContactMethods } from "../../api/oncall.ts";
import type { Channel, ContactMethod } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Dialog, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

const CHANNELS = [["sms", "SMS"], ["email", "Email"], ["slack", "Slack"], ["webhook", "Webhook"]] as const satisfies readonly (readonly [Channel, string])[];
const TARGETS: Record<Channel, [string, string, string]> = {
  sms: ["Number", "+15005550006", "With the country's code"],
  email: ["Address", "me@example.com", "The address of your account needs no code"],
  slack: ["Incoming webhook, or your id in Slack", "https://hooks.slack.com/services/…", "An id such as U024BE7LH, with a bot's token"],
  webhook: ["URL", "https://example.com/hook", ""],
};
const BASE = "/account/contact-methods";
const TOUCHES = ["contact-methods", "notification-rules"];

function AddDialog({ onClose, onMade }: { onClose: () => void; onMade: (method: ContactMethod) => void }) {
  const [name, setName] = useState("");
  const [channel, setChannel] = useState<Channel>("sms");
  const [target, setTarget] = useState("");
  const [bot, setBot] = useState("");
  const [label, placeholder, help] = TARGETS[channel];
  const add = useChange(() => call<ContactMethod>("POST", BASE, { body: { name: name.trim(), channel, target: target.trim(), ...(channel === "slack" && bot !== "" ? { bot_token: bot } : {}) } }), { touches: TOUCHES, done: "The contact method is added" });
  return (
    <Dialog title="New contact method" onClose={onClose}>
      <Form onSubmit={() => add.mutate(undefined, { onSuccess: (made) => { onClose(); if (made.verified_at === null) onMade(made); } })}>
        <Input label="Name" value={name} maxLength={64} placeholder="my phone" onChange={(event) => setName(event.target.value)} error={add.wrong("name")} />
        <Select label="How" value={channel} options={CHANNELS} onChange={(event) => setChannel(event.target.value as Channel)} error={add.wrong("channel")} />
        <Input label={label} value={target} placeholder={placeholder} help={help} onChange={(event) => setTarget(event.target.value)} error={add.wrong("target")} />
        {channel === "slack" && !target.startsWith("https://") && <Input label="Bot token" type="password" value={bot} onChange={(event) => setBot(event.target.value)} error={add.wrong("bot_token")} help="Only with an id" autoComplete="off" />}
        <div className="dialogactions"><Button type="submit" look="primary" busy={add.isPending}>Add</Button></div>
      </Form>
    </Dialog>
  );
}

function VerifyDialog({ method, onClose }: { method: ContactMethod; onClose: () => void }) {
  const [code, setCode] = useState("");
  const send = useChange(() => call("POST", `${BASE}/${method.id}/code`), { touches: TOUCHES, done: "A code is on its way" });
  const verify = useChange(() => call("POST", `${BASE}/${method.id}/verify`, { body: { code: code.replace(/\s/g, "") } }), { touches: TOUCHES, done: "It is proven: pages can come by it" });
  return (
    <Dialog title={`Prove that ${method.name} is yours`} onClose={onClose}>
      <p>Bugle sends six digits to <Untrusted limit={200}>{method.target}</Untrusted>. They hold for 15 minutes.</p>
      <p className="pad-top"><Button icon="send" busy={send.isPending} onClick={() => send.mutate(undefined)}>{send.isSuccess ? "Send another code" : "Send the code"}</Button></p>
      <Form className="inline" onSubmit={() => code !== "" && verify.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Code that has come" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.target.value)} error={verify.wrong("code")} />
        <Button type="submit" look="primary" busy={verify.isPending} disabled={code.trim() === ""}>Verify</Button>
      </Form>
    </Dialog>
  );
}

function Row({ method, verify }: { method: ContactMethod; verify: () => void }) {
  const test = useChange(() => call("POST", `${BASE}/${method.id}/test`), { done: "A test is on its way" });
  const remove = useChange(() => call("DELETE", `${BASE}/${method.id}`), { touches: TOUCHES, done: "The contact method is removed" });
  const proven = method.verified_at !== null;
  return (
    <li className={method.enabled ? "" : "off"}>
      <span className="tag">{method.channel}</span>
      <div className="grow">
        <strong><Untrusted limit={64}>{method.name}</Untrusted></strong>
        <div className="mono dsn"><Untrusted limit={200}>{method.target}</Untrusted></div>
        <small className="muted">
          {proven ? <>proven <Time at={method.verified_at} /></> : <span className="bad">not proven yet: nobody is paged by it</span>}
          {!method.enabled && <span className="bad"> · switched off: <Untrusted limit={200}>{method.disabled_reason}</Untrusted>. A new code switches it on again.</span>}
        </small>
      </div>
      {(!proven || !method.enabled) && <Button small look="primary" onClick={verify}>Verify</Button>}
      {proven && method.enabled && <Button small icon="send" busy={test.isPending} onClick={() => test.mutate(undefined)} aria-label={`Send a test to ${method.name}`}>Send a test</Button>}
      <Confirm title={`Remove ${method.name}?`} action="Remove" onConfirm={() => remove.mutate(undefined)} body="Its rules go too, and pages that wait for it do not leave.">
        {(ask) => <IconButton icon="trash" label={`Remove ${method.name}`} onClick={ask} />}
      </Confirm>
    </li>
  );
}

/** How somebody can be reached when they are paged. */
export function ContactMethods() {
  const methods = useContactMethods();
  const [adding, setAdding] = useState(false);
  const [verifying, setVerifying] = useState<ContactMethod | null>(null);
  return (
    <Panel title="Contact methods" actions={<Button small icon="plus" onClick={() => setAdding(true)}>New contact method</Button>}>
      {methods.isPending && <Skeleton rows={2} />}
      {methods.isError && <Failure error={methods.error} retry={() => void methods.refetch()} />}
      {methods.data === null && <Absent what="On-call" />}
      {methods.data?.length === 0 && <p className="pad muted">None yet: you are paged by mail, to the address of your account.</p>}
      <ul className="rows">{methods.data?.map((method) => <Row key={method.id} method={method} verify={() => setVerifying(method)} />)}</ul>
      {adding && <AddDialog onClose={() => setAdding(false)} onMade={setVerifying} />}
      {verifying !== null && <VerifyDialog method={verifying} onClose={() => setVerifying(null)} />}
    </Panel>
  );
}
