import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate, useSearchParams } from "react-router-dom";
import { apiToken, call, explain, get, getIfThere, Problem } from "../api/client.ts";
import { useSessionQuery, useSignedIn } from "../api/session.ts";
import type { SessionBody } from "../api/types.ts";
import { safeNext } from "../lib/next.ts";
import { span } from "../lib/time.ts";
import { Button, Form, Input } from "../ui/kit.tsx";
import { Door, Wrong } from "./door.tsx";

/** `second`: a code was asked for, so the password was right. */
function say(error: unknown, second = false): string {
  if (!(error instanceof Problem)) return explain(error);
  if (error.status === 429) return `Too many attempts. Try again in ${error.retryAfter === null ? "a while" : span(Math.max(60, error.retryAfter))}.`;
  if (error.code !== "invalid_credentials") return error.message;
  return second ? "That code is not right, or its time is over." : "That email address and password do not belong together.";
}

function PasswordForm({ other }: { other: () => void }) {
  const signedIn = useSignedIn();
  const [fields, setFields] = useState({ email: "", password: "", code: "" });
  const [second, setSecond] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [forgot, setForgot] = useState(false);
  const set = (name: string) => (event: { target: { value: string } }) => setFields({ ...fields, [name]: event.target.value });
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const { email, password, code } = fields;
      signedIn(await call<SessionBody>("POST", "/session", { atDoor: true, body: { email: email.trim(), password, ...(code === "" ? {} : { code: code.replace(/\s/g, "") }) } }));
    } catch (problem) {
      if (problem instanceof Problem && problem.code === "second_factor_needed" && !second) setSecond(true);
      else setError(problem);
    } finally {
      setBusy(false);
    }
  };
  if (forgot) return <Forgot email={fields.email} back={() => setForgot(false)} />;
  return (
    <Form onSubmit={() => void submit()}>
      {error !== null && <Wrong>{say(error, second)}</Wrong>}
      {second ? (
        <Input label="Code" help="From your authenticator app, or one of your recovery codes." value={fields.code} onChange={set("code")} autoComplete="one-time-code" inputMode="text" autoFocus required />
      ) : (
        <>
          <Input label="Email" type="email" name="email" value={fields.email} onChange={set("email")} autoComplete="username" required autoFocus />
          <Input label="Password" type="password" name="password" value={fields.password} onChange={set("password")} autoComplete="current-password" required />
        </>
      )}
      <Button type="submit" look="primary" busy={busy} className="block">
        Sign in
      </Button>
      <div className="doorlinks">
        {second ? (
          <button type="button" className="link" onClick={() => setSecond(false)}>
            Back
          </button>
        ) : (
          <button type="button" className="link" onClick={() => setForgot(true)}>
            Forgot your password?
          </button>
        )}
        <button type="button" className="link" onClick={other}>
          Use an API token
        </button>
      </div>
    </Form>
  );
}

function Forgot({ email: known, back }: { email: string; back: () => void }) {
  const [email, setEmail] = useState(known);
  const [state, setState] = useState<"" | "busy" | "sent">("");
  const [error, setError] = useState<unknown>(null);
  const submit = (): void => {
    setState("busy");
    call("POST", "/password-resets", { atDoor: true, body: { email: email.trim() } }).then(
      () => setState("sent"),
      (problem: unknown) => {
        setState("");
        setError(problem);
      },
    );
  };
  if (state === "sent") {
    return (
      <>
        <p role="status">If somebody has an account with this address, a link to set a new password is on its way to it. It works for an hour.</p>
        <Button onClick={back} className="block">
          Back to signing in
        </Button>
      </>
    );
  }
  return (
    <Form onSubmit={submit}>
      {error !== null && <Wrong>{say(error)}</Wrong>}
      <Input label="Email" type="email" value={email} onChange={(event) => setEmail(event.target.value)} autoComplete="username" help="A link to set a new password goes to it." required autoFocus />
      <Button type="submit" look="primary" busy={state === "busy"} className="block">
        Send the link
      </Button>
      <div className="doorlinks">
        <button type="button" className="link" onClick={back}>
          Back
        </button>
      </div>
    </Form>
  );
}

function TokenForm({ accounts, other }: { accounts: boolean; other: () => void }) {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>();
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    apiToken.set(token.trim());
    try {
      await get("/projects", { params: { limit: 1 }, atDoor: true });
      await client.invalidateQueries({ queryKey: ["session"] });
    } catch (problem) {
      apiToken.clear();
      setError(problem instanceof Problem && problem.status === 401 ? "This token is unknown, expired or revoked." : explain(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form onSubmit={() => void submit()}>
      <Input label="API token" type="password" value={token} onChange={(event) => setToken(event.target.value)} error={error} autoComplete="off" spellCheck={false} required autoFocus
        help={<>Made by <code>bugle token create</code>. It is kept until this tab is closed.</>} />
      <Button type="submit" look="primary" busy={busy} className="block">
        Sign in
      </Button>
      {accounts && (
        <div className="doorlinks">
          <button type="button" className="link" onClick={other}>
            Use email and password
          </button>
        </div>
      )}
    </Form>
  );
}

/** Why signing in with the provider came to nothing. */
const PROVIDER: Record<string, string> = {
  denied: "The sign-in was refused or broken off.",
  disabled: "This account is disabled.",
  unavailable: "The provider cannot be reached. Try again in a moment.",
  unknown: "Nobody with this address has an account here. Ask for an invitation.",
  unverified: "The provider has not verified your address.",
};

/** The other way in, where there is one. */
function Provider({ next }: { next: string }) {
  const methods = useQuery({
    queryKey: ["sign-in-methods"],
    queryFn: ({ signal }) => getIfThere<{ oidc: { name: string } | null }>("/session/methods", { atDoor: true, signal }),
    staleTime: Infinity,
  });
  const provider = methods.data?.oidc;
  if (provider === undefined || provider === null) return null;
  // Not a way within the dashboard: the server leads to the provider.
  return (
    <a className="button block" href={`/api/v1/session/oidc?next=${encodeURIComponent(next)}`}>
      Sign in with {provider.name}
    </a>
  );
}

export default function SignIn() {
  const session = useSessionQuery();
  const [params] = useSearchParams();
  const [byToken, setByToken] = useState(false);
  const data = session.data;
  if (data !== undefined && data.kind !== "none") return <Navigate to={safeNext(params.get("next"))} replace />;
  const accounts = data?.kind === "none" ? data.accounts : true;
  return (
    <Door title="Sign in">
      {session.isError && (
        <>
          <Wrong>{explain(session.error)}</Wrong>
          <Button onClick={() => void session.refetch()} busy={session.isFetching} className="block">
            Try again
          </Button>
        </>
      )}
      {params.has("oidc") && <Wrong>{PROVIDER[params.get("oidc") ?? ""] ?? "The sign-in did not work. Try again."}</Wrong>}
      {data?.kind === "none" && accounts && <Provider next={safeNext(params.get("next"))} />}
      {data?.kind === "none" && data.setup && <Wrong>Nobody has an account yet. Open the setup link that Bugle printed when it started.</Wrong>}
      {data !== undefined && (byToken || !accounts ? <TokenForm accounts={accounts} other={() => setByToken(false)} /> : <PasswordForm other={() => setByToken(true)} />)}
    </Door>
  );
}
