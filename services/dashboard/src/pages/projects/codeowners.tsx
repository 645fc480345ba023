import { useState } from "react";
import { call } from "../../api/client.ts";
import type { CodeownersImport, Owner, Ownership } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Field, Form, Panel, Select } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Mistakes } from "../oncall/parts.tsx";
import { keyOf, ownerOf, useOwnerName, useOwnerOptions } from "./owners.tsx";
import type { Props } from "./settings.tsx";

type Imported = NonNullable<Ownership["codeowners"]>;

/** A CODEOWNERS file of the project's repository: what it says here, and how another one is imported. */
export function CodeownersPanel({ project, manage, imported }: Props & { imported: Imported | null }) {
  const [text, setText] = useState("");
  const [names, setNames] = useState<Record<string, Owner>>(imported?.names ?? {});
  const load = useChange((body: { text: string; names: Record<string, Owner> }) => call<CodeownersImport>("POST", `/projects/${project.id}/ownership/codeowners`, { body }), { touches: ["ownership"] });
  const unknown = Object.entries(load.data?.unknown ?? {});
  const options = useOwnerOptions(project.team?.id);
  const map = (name: string, key: string): void => {
    const others = Object.fromEntries(Object.entries(names).filter(([other]) => other !== name));
    setNames(key === "" ? others : { ...others, [name]: ownerOf(key) });
  };
  return (
    <Panel title="CODEOWNERS" actions={manage && imported !== null ? <Button small icon="trash" onClick={() => load.mutate({ text: "", names: {} })}>Remove</Button> : null}>
      {imported === null ? <p className="pad muted">No file is imported. The rules above go before it.</p> : <Lines imported={imported} />}
      {manage && (
        <Form className="formbody" onSubmit={() => load.mutate({ text, names })}>
          <Field label="Import a file" help="As GitHub or GitLab have it. It takes the place of the one before." error={load.wrong("text")}>
            {(ids) => <textarea {...ids} className="mono" rows={8} value={text} spellCheck={false} placeholder={"*  @octo/everybody\n/src/checkout/  @ann"} onChange={(event) => setText(event.target.value)} />}
          </Field>
          <Mistakes problem={load.problem} except={["text"]} />
          {load.data !== undefined && <Report report={load.data} />}
          {unknown.length > 0 && (
            <div className="formgrid">
              {unknown.map(([name, lines]) => {
                const owner = names[name];
                return <Select key={name} label={`${name} is`} value={owner === undefined ? "" : keyOf(owner)} options={[["", "Nobody here"], ...options]} help={`On line ${lines.slice(0, 5).join(", ")}${lines.length > 5 ? ", …" : ""}`} onChange={(event) => map(name, event.target.value)} />;
              })}
            </div>
          )}
          <Button type="submit" busy={load.isPending} disabled={text.trim() === ""}>{unknown.length > 0 ? "Import again with these owners" : "Import"}</Button>
        </Form>
      )}
    </Panel>
  );
}

function Report({ report }: { report: CodeownersImport }) {
  const unknown = Object.keys(report.unknown).length;
  return (
    <div role="status">
      <p>{plural(report.rules, "line")} imported{unknown > 0 ? `; ${plural(unknown, "owner")} of the file ${unknown === 1 ? "is" : "are"} nobody here` : ""}.</p>
      {report.problems.length > 0 && <ul>{report.problems.map(({ line, message }) => <li key={`${line} ${message}`}><strong>Line {line}</strong>: <Untrusted limit={300}>{message}</Untrusted></li>)}</ul>}
    </div>
  );
}

const MOST_SHOWN = 100;

function Lines({ imported }: { imported: Imported }) {
  const name = useOwnerName();
  const shown = imported.rules.slice(0, MOST_SHOWN);
  return (
    <>
      <p className="pad muted">Imported <Time at={imported.imported_at} />{imported.imported_by === null || imported.imported_by === undefined ? "" : <> by <Untrusted limit={60}>{imported.imported_by}</Untrusted></>}. The rules above go before it; of its lines the last that matches counts.</p>
      <Table label="Lines of CODEOWNERS" columns={["Line", "Pattern", "Owners"]}>
        {shown.map((rule) => (
          <Row key={rule.line}>
            <Cell>{rule.line}</Cell>
            <Cell><code><Untrusted limit={200}>{rule.pattern}</Untrusted></code></Cell>
            <Cell>
              <Untrusted limit={300}>{rule.owners.length === 0 ? "nobody" : rule.owners.map(name).join(", ")}</Untrusted>
              {rule.unknown !== undefined && rule.unknown.length > 0 && <span className="muted"> unknown: <Untrusted limit={300}>{rule.unknown.join(", ")}</Untrusted></span>}
            </Cell>
          </Row>
        ))}
      </Table>
      {imported.rules.length > MOST_SHOWN && <p className="pad muted">{plural(imported.rules.length - MOST_SHOWN, "more line")}.</p>}
    </>
  );
}
