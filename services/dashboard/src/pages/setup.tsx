import { useState } from "react";
import { Navigate, useSearchParams } from "react-router-dom";
import { call, Problem } from "../api/client.ts";
import { useSessionQuery, useSignedIn } from "../api/session.ts";
import type { SessionBody } from "../api/types.ts";
import { useChange } from "../lib/mutate.ts";
import { Button, Form, Input } from "../ui/kit.tsx";
import { Door, Wrong } from "./door.tsx";
import { NewPassword } from "./newpassword.tsx";

/** The first start: makes the owner and the first team. */
export default function Setup() {
  const [params] = useSearchParams();
  const session = useSessionQuery();
  const signedIn = useSignedIn();
  const [fields, setFields] = useState({ token: params.get("token") ?? "", name: "", email: "", password: "", team: "" });
  const create = useChange(() => call<SessionBody>("POST", "/setup", { atDoor: true, body: fields }), { quiet: true });
  const set = (name: string) => (event: { target: { value: string } }) => setFields({ ...fields, [name]: event.target.value });
  if (session.data !== undefined && session.data.kind !== "none") return <Navigate to="/projects/new" replace />;
  const other = create.problem !== null && create.problem.errors.length === 0 ? create.problem : null;
  return (
    <Door title="Set Bugle up" lead="You will be its owner. Others can be invited afterwards.">
      <Form onSubmit={() => create.mutate(undefined, { onSuccess: signedIn })}>
        {other !== null && <Wrong>{describe(other)}</Wrong>}
        {(params.get("token") === null || create.wrong("token") !== undefined) && <Input label="Setup token" value={fields.token} onChange={set("token")} error={create.wrong("token")} help="The end of the link that Bugle printed when it started." required />}
        <Input label="Your name" value={fields.name} onChange={set("name")} autoComplete="name" error={create.wrong("name")} required autoFocus />
        <Input label="Email" type="email" value={fields.email} onChange={set("email")} autoComplete="username" error={create.wrong("email")} required />
        <NewPassword value={fields.password} onChange={(password) => setFields({ ...fields, password })} error={create.wrong("password")} />
        <Input label="First team" value={fields.team} onChange={set("team")} error={create.wrong("team")} help="Teams own projects. It gets those that exist already." required />
        <Button type="submit" look="primary" busy={create.isPending} className="block">
          Create the owner
        </Button>
      </Form>
    </Door>
  );
}

const describe = (problem: Problem): string => (problem.status === 404 ? "This server has no accounts, or is set up already." : problem.message);
