import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate, useSearchParams } from "react-router-dom";
import { call, get } from "../api/client.ts";
import { useSessionQuery, useSignedIn } from "../api/session.ts";
import type { SessionBody } from "../api/types.ts";
import { useChange } from "../lib/mutate.ts";
import { Button, ButtonLink, Form, Input, Skeleton } from "../ui/kit.tsx";
import { Door, Wrong } from "./door.tsx";
import { NewPassword } from "./newpassword.tsx";

interface Preview { email: string; team: string | { name: string } | null; inviter: string | { name: string } | null }

const nameOf = (thing: Preview["team"]): string | null => (thing === null || typeof thing === "string" ? thing : thing.name);

export default function Invite() {
  const [params] = useSearchParams();
  const token = encodeURIComponent(params.get("token") ?? "");
  const session = useSessionQuery();
  const signedIn = useSignedIn();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const preview = useQuery({ queryKey: ["invitation", token], queryFn: () => get<Preview>(`/invitations/${token}/preview`, { atDoor: true }), enabled: token !== "" });
  const join = useChange(() => call<SessionBody>("POST", `/invitations/${token}/accept`, { atDoor: true, body: { name, password } }), { quiet: true });
  if (session.data?.kind === "user") return <Navigate to="/" replace />;
  if (token === "" || preview.isError) {
    return (
      <Door title="This invitation is over" lead="It was used, withdrawn, or is older than seven days. Ask for a new one.">
        <ButtonLink to="/signin">Sign in instead</ButtonLink>
      </Door>
    );
  }
  if (preview.data === undefined) return <Door title="Invitation"><Skeleton rows={3} /></Door>;
  const team = nameOf(preview.data.team);
  const inviter = nameOf(preview.data.inviter);
  return (
    <Door title={team === null ? "Join Bugle" : `Join ${team}`} lead={<>{inviter ?? "Somebody"} invited <strong>{preview.data.email}</strong>.</>}>
      <Form onSubmit={() => join.mutate(undefined, { onSuccess: signedIn })}>
        {join.problem !== null && join.problem.errors.length === 0 && <Wrong>{join.problem.message}</Wrong>}
        <Input label="Your name" value={name} onChange={(event) => setName(event.target.value)} autoComplete="name" error={join.wrong("name")} required autoFocus />
        <NewPassword value={password} onChange={setPassword} error={join.wrong("password")} />
        <Button type="submit" look="primary" busy={join.isPending} className="block">
          Join
        </Button>
      </Form>
    </Door>
  );
}
