import { useState } from "react";
import { useSearchParams } from "react-router-dom";
import { call } from "../api/client.ts";
import { useChange } from "../lib/mutate.ts";
import { Button, ButtonLink, Form } from "../ui/kit.tsx";
import { Door, Wrong } from "./door.tsx";
import { NewPassword } from "./newpassword.tsx";

export default function Reset() {
  const [params] = useSearchParams();
  const token = encodeURIComponent(params.get("token") ?? "");
  const [password, setPassword] = useState("");
  const reset = useChange(() => call("POST", `/password-resets/${token}`, { atDoor: true, body: { password } }), { quiet: true });
  if (reset.isSuccess) {
    return (
      <Door title="Your password is set" lead="You were signed out everywhere. Sign in with the new one.">
        <ButtonLink to="/signin" look="primary">
          Sign in
        </ButtonLink>
      </Door>
    );
  }
  return (
    <Door title="Set a new password">
      <Form onSubmit={() => reset.mutate(undefined)}>
        {reset.problem !== null && reset.problem.errors.length === 0 && <Wrong>{reset.problem.status === 404 ? "This link was used, or is older than an hour. Ask for a new one on the sign-in page." : reset.problem.message}</Wrong>}
        <NewPassword label="New password" value={password} onChange={setPassword} error={reset.wrong("password")} />
        <Button type="submit" look="primary" busy={reset.isPending} className="block">
          Set the password
        </Button>
      </Form>
    </Door>
  );
}
