import { useState } from "react";
import { call, Problem } from "../../api/client.ts";
import { addressOf, type Operation } from "../../api/openapi.ts";
import { Button, Form, Input, Select } from "../../ui/kit.tsx";

interface Outcome { title: string; body: string }

/** Asks with the session or token of whoever reads this. */
async function ask(address: string): Promise<Outcome> {
  try {
    const body = await call<unknown>("GET", address.replace(/^\/api\/v1/, ""));
    return { title: "Answered", body: JSON.stringify(body, null, 2) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { title: `${error.status} ${error.code}: ${error.message}`, body: error.errors.map((one) => `${one.field}: ${one.message}`).join("\n") };
  }
}

/** A GET that can be tried; what changes something is not offered, so that reading this page stays harmless. */
export function Try({ path, operation }: { path: string; operation: Operation }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState(false);
  const parameters = operation.parameters ?? [];
  const address = addressOf(path, parameters, values);
  const send = (): void => {
    if (address === null) return;
    setBusy(true);
    void ask(address).then(setOutcome).finally(() => setBusy(false));
  };
  return (
    <Form onSubmit={send} className="try">
      {parameters.map((parameter) => {
        const key = `${parameter.in} ${parameter.name}`;
        const set = (value: string): void => setValues({ ...values, [key]: value });
        const label = parameter.required ? `${parameter.name} (needed)` : parameter.name;
        const choices = parameter.schema.enum ?? (parameter.schema.type === "boolean" ? [true, false] : undefined);
        if (choices === undefined) return <Input key={key} label={label} help={parameter.description} value={values[key] ?? ""} onChange={(event) => set(event.target.value)} />;
        const options = ["", ...choices.map(String)].map((value) => [value, value] as const);
        return <Select key={key} label={label} help={parameter.description} options={options} value={values[key] ?? ""} onChange={(event) => set(event.target.value)} />;
      })}
      <div className="actions">
        <Button type="submit" busy={busy} disabled={address === null}>
          Ask
        </Button>
        {address !== null && <code>{address}</code>}
      </div>
      <div role="status">
        {outcome !== null && (
          <>
            <p>
              <strong>{outcome.title}</strong>
            </p>
            {outcome.body !== "" && (
              // It scrolls, so it has to be reachable with the keyboard.
              // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
              <pre tabIndex={0} aria-label="Answer">
                {outcome.body.slice(0, 20_000)}
              </pre>
            )}
          </>
        )}
      </div>
    </Form>
  );
}
