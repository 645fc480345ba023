import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, get } from "../../api/client.ts";
import { useContactMethods } from "../../api/oncall.ts";
import type { Channel, ContactMethod } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { canPush, subscribe, subscribedAt, unsubscribe } from "../../lib/push.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Dialog, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

const CHANNELS = [["sms", "SMS"], ["voice", "Call"], ["web_push", "This browser"], ["email", "Email"], ["slack", "Slack"], ["webhook", "Webhook"]] as const satisfies readonly (readonly [Channel, string])[];
const TARGETS: Record<Exclude<Channel, "web_push">, [string, string, string]> = {
  sms: ["Number", "+15005550006", "With the country's code"],
  voice: ["Number", "+15005550006", "With the country's code. You answer by a key"],
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
  const push = channel === "web_push";
  const where = async () => (push ? subscribe((await get<{ key: string }>("/account/web-push-key")).key) : { target: target.trim(), ...(channel === "slack" && bot !== "" ? { bot_token: bot } : {}) });
  const add = useChange(async () => call<ContactMethod>("POST", BASE, { body: { name: name.trim(), channel, ...(await where()) } }), { touches: TOUCHES, done: "The contact method is added" });
  return (
    <Dialog title="New contact method" onClose={onClose}>
      <Form onSubmit={() => add.mutate(undefined, { onSuccess: (made) => { onClose(); if (made.verified_at === null) onMade(made); } })}>
        <Input label="Name" value={name} maxLength={64} placeholder="my phone" onChange={(event) => setName(event.target.value)} error={add.wrong("name")} />
        <Select label="How" value={channel} options={CHANNELS} onChange={(event) => setChannel(event.target.value as Channel)} error={add.wrong("channel")} />
        {push ? <PushHint wrong={add.wrong("target")} /> : <Target of={channel} value={target} set={setTarget} wrong={add.wrong("target")} />}
        {channel === "slack" && !target.startsWith("https://") && <Input label="Bot token" type="password" value={bot} onChange={(event) => setBot(event.target.value)} error={add.wrong("bot_token")} help="Only with an id" autoComplete="off" />}
        <div className="dialogactions"><Button type="submit" look="primary" busy={add.isPending} disabled={push && !canPush()}>Add</Button></div>
      </Form>
    </Dialog>
  );
}

function Target({ of, value, set, wrong }: { of: keyof typeof TARGETS; value: string; set: (value: string) => void; wrong: string | undefined }) {
  const [label, placeholder, help] = TARGETS[of];
  return <Input label={label} value={value} placeholder={placeholder} help={help} onChange={(event) => set(event.target.value)} error={wrong} />;
}

/** What a browser that is to be told of incidents needs. */
function PushHint({ wrong }: { wrong: string | undefined }) {
  if (wrong !== undefined) return <p className="bad" role="alert">{wrong}</p>;
  if (!canPush()) return <p className="bad">This browser takes no notifications here. It needs https; on an iPhone or iPad, put Bugle on the home screen first and open it from there.</p>;
  return <p className="muted">The browser asks whether Bugle may notify you. Pages then come also while Bugle is not open.</p>;
}

function VerifyDialog({ method, onClose }: { method: ContactMethod; onClose: () => void }) {
  const [code, setCode] = useState("");
  const send = useChange(() => call("POST", `${BASE}/${method.id}/code`), { touches: TOUCHES, done: "A code is on its way" });
  const verify = useChange(() => call("POST", `${BASE}/${method.id}/verify`, { body: { code: code.replace(/\s/g, "") } }), { touches: TOUCHES, done: "It is proven: pages can come by it" });
  return (
    <Dialog title={`Prove that ${method.name} is yours`} onClose={onClose}>
      <p>Bugle {method.channel === "voice" ? "calls, and reads six digits to" : "sends six digits to"} <Untrusted limit={200}>{method.target}</Untrusted>. They hold for 15 minutes.</p>
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
  const push = method.channel === "web_push";
  const here = useQuery({ queryKey: ["push-subscription"], queryFn: subscribedAt, enabled: push }).data === method.target;
  const end = async () => {
    await call("DELETE", `${BASE}/${method.id}`);
    if (push) await unsubscribe(method.target);
  };
  const remove = useChange(end, { touches: TOUCHES, done: "The contact method is removed" });
  const proven = method.verified_at !== null;
  return (
    <li className={method.enabled ? "" : "off"}>
      <span className="tag">{method.channel.replace("_", " ")}</span>
      <div className="grow">
        <strong><Untrusted limit={64}>{method.name}</Untrusted></strong>
        <div className="mono dsn"><Untrusted limit={200}>{push ? new URL(method.target).host : method.target}</Untrusted>{here && <small className="muted"> this browser</small>}</div>
        <small className="muted">
          {proven ? <>proven <Time at={method.verified_at} /></> : <span className="bad">not proven yet: nobody is paged by it</span>}
          {!method.enabled && <span className="bad"> · switched off: <Untrusted limit={200}>{method.disabled_reason}</Untrusted>. {push ? "Remove it, and add the browser again." : "A new code switches it on again."}</span>}
        </small>
      </div>
      {(!proven || !method.enabled) && !push && <Button small look="primary" onClick={verify}>Verify</Button>}
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
