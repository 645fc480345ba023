import { useState } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { call } from "../../api/client.ts";
import { useIfThere } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { SignedInSession, User } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Empty, Failure, Form, Input, Page, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { browserZone, NewPassword } from "../newpassword.tsx";
import { MyAvailability } from "./availability.tsx";
import { MyOnCall } from "./oncall.tsx";
import { SecondFactor } from "./totp.tsx";

function Profile({ user }: { user: User }) {
  const client = useQueryClient();
  const [name, setName] = useState(user.name);
  const [zone, setZone] = useState(user.time_zone ?? browserZone());
  const save = useChange(() => call<User>("PATCH", "/account", { body: { name: name.trim(), time_zone: zone } }), { done: "Saved" });
  const zones = [...new Set([zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return (
    <Panel title="You">
      <Form className="formbody narrow" onSubmit={() => save.mutate(undefined, { onSuccess: () => void client.invalidateQueries({ queryKey: ["session"] }) })}>
        <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} error={save.wrong("name")} autoComplete="name" />
        <Input label="Email" value={user.email} disabled help="An owner can invite you under another address." />
        <Select label="Time zone" value={zone} onChange={(event) => setZone(event.target.value)} options={zones.map((z) => [z, z.replace(/_/g, " ")] as const)} error={save.wrong("time_zone")} />
        <Button type="submit" look="primary" busy={save.isPending}>Save</Button>
      </Form>
    </Panel>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const save = useChange(() => call("PATCH", "/account", { body: { password: { current, new: next } } }), { touches: ["sessions"], done: "Your password is changed" });
  return (
    <Panel title="Password">
      <Form className="formbody narrow" onSubmit={() => save.mutate(undefined, { onSuccess: () => { setCurrent(""); setNext(""); } })}>
        <Input label="Current password" type="password" value={current} onChange={(event) => setCurrent(event.target.value)} autoComplete="current-password" error={save.wrong("password.current") ?? save.wrong("current")} />
        <NewPassword label="New password" value={next} onChange={setNext} error={save.wrong("password.new") ?? save.wrong("new") ?? save.wrong("password")} />
        <Button type="submit" look="primary" busy={save.isPending} disabled={current === "" || next === ""}>Change it</Button>
      </Form>
    </Panel>
  );
}

/** "Firefox on Linux" of a user agent; the whole of it when it is none that is known. */
function agent(text: string | null): string {
  if (text === null || text === "") return "Unknown client";
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(text.replace(/Chrome\/\S+ Safari/, "Chrome"))?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(text)?.[1];
  if (browser === undefined) return text.slice(0, 60);
  const name = browser === "Edg" ? "Edge" : browser === "OPR" ? "Opera" : browser;
  return system === undefined ? name : `${name} on ${system === "Mac OS X" ? "macOS" : system}`;
}

function Sessions() {
  const sessions = useIfThere<SignedInSession>("sessions", "/sessions");
  const end = useChange((id: string | number) => call("DELETE", `/sessions/${id}`), { touches: ["sessions"], done: "Signed out there" });
  const endOthers = useChange(() => call("DELETE", "/sessions"), { touches: ["sessions"], done: "Signed out everywhere else" });
  return (
    <Panel title="Where you are signed in" actions={(sessions.data?.length ?? 0) > 1 ? <Button small onClick={() => endOthers.mutate(undefined)}>Sign out everywhere else</Button> : null}>
      {sessions.isPending && <Skeleton rows={2} />}
      {sessions.isError && <Failure error={sessions.error} />}
      <ul className="rows">
        {sessions.data?.map((s) => (
          <li key={s.id}>
            <div className="grow">
              <strong><Untrusted limit={80}>{agent(s.user_agent)}</Untrusted></strong> {s.current && <span className="tag state sent">this one</span>}
              <div><small className="muted">{s.address ?? ""} · last seen <Time at={s.last_seen_at} /> · signed in <Time at={s.created_at} /></small></div>
            </div>
            {!s.current && <Button small onClick={() => end.mutate(s.id)}>Sign out</Button>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const You = ({ user }: { user: User }) => (
  <div className="split even">
    <div>
      <Profile user={user} />
      <Password />
    </div>
    <div>
      <MyAvailability />
      <SecondFactor on={user.totp} />
      <Sessions />
    </div>
  </div>
);

export default function Account() {
  useTitle("Account");
  const session = useSession();
  if (session.kind !== "user") return <Empty whole icon="account" title="No account">You are signed in with an API token; there is no person behind it.</Empty>;
  return (
    <Page title="Account" lead={session.user.email}>
      <Tabs
        label="Account"
        tabs={[
          { id: "you", label: "You", content: () => <You user={session.user} /> },
          { id: "oncall", label: "On call", content: () => <MyOnCall /> },
        ]}
      />
    </Page>
  );
}
