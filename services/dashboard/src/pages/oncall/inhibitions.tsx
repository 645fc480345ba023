import { useState } from "react";
import { call } from "../../api/client.ts";
import { useInhibitionRules } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { InhibitionRule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, Dialog, Failure, Form, IconButton, Input, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { MatcherFields } from "./matcherfields.tsx";
import { matchersOf, matchersText, NO_MATCHERS } from "./matchers.ts";
import { Mistakes, TeamSelect, useManaged } from "./parts.tsx";

const OWN = ["name", "equal", ...["source", "target"].flatMap((of) => ["title", "project", "min_priority", "max_priority", "environments"].map((field) => `${of}.${field}`))];

function RuleDialog({ onClose }: { onClose: () => void }) {
  const teams = useManaged();
  const [chosen, setTeam] = useState<number | undefined>();
  const team = chosen ?? teams[0]?.id;
  const [name, setName] = useState("");
  const [source, setSource] = useState(NO_MATCHERS);
  const [target, setTarget] = useState(NO_MATCHERS);
  const [equal, setEqual] = useState("");
  const save = useChange(
    () => {
      const names = equal.split(",").map((one) => one.trim()).filter((one) => one !== "");
      return call("POST", "/inhibition-rules", { body: { team, name, source: matchersOf(source), target: matchersOf(target), equal: names } });
    },
    { touches: ["inhibition-rules"], done: "The rule is there" },
  );
  return (
    <Dialog title="New inhibition rule" onClose={onClose} wide>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Name" value={name} maxLength={64} onChange={(event) => setName(event.target.value)} error={save.wrong("name")} placeholder="databases" required />
        <TeamSelect teams={teams} value={team} onChange={setTeam} />
        <fieldset>
          <legend>While an incident is open that is about all of this</legend>
          <MatcherFields of="source" team={team} draft={source} set={setSource} wrong={save.wrong} />
        </fieldset>
        <fieldset>
          <legend>What is opened and is about all of this pages nobody</legend>
          <MatcherFields of="target" team={team} draft={target} set={setTarget} wrong={save.wrong} />
        </fieldset>
        <Input label="Labels that both must have alike" value={equal} onChange={(event) => setEqual(event.target.value)} placeholder="none" help="Separated by commas; project and environment are the incident's own" error={save.wrong("equal")} />
        <Mistakes problem={save.problem} except={OWN} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={team === undefined || name.trim() === ""}>Make the rule</Button></div>
      </Form>
    </Dialog>
  );
}

function Row({ rule, manage }: { rule: InhibitionRule; manage: boolean }) {
  const projects = useProjects().data;
  const remove = useChange(() => call("DELETE", `/inhibition-rules/${rule.id}`), { touches: ["inhibition-rules", "incidents", "incident"], done: "The rule is removed" });
  const about = (matchers: InhibitionRule["source"]): string => matchersText(matchers, (id) => projects?.find((one) => one.id === id)?.name ?? `project ${id}`);
  const name = neutralise(rule.name);
  return (
    <li>
      <div className="grow">
        <strong><Untrusted limit={64}>{rule.name}</Untrusted></strong>
        <div className="muted">
          <Untrusted limit={600}>{about(rule.source)}</Untrusted> keeps silent: <Untrusted limit={600}>{about(rule.target)}</Untrusted>
          {rule.equal.length > 0 && <>, with the same <Untrusted limit={600}>{rule.equal.join(", ")}</Untrusted></>}
        </div>
      </div>
      {manage && (
        <Confirm title={`Remove the rule ${name}?`} action="Remove" onConfirm={() => remove.mutate(undefined)} body="What it keeps silent, and is still open, pages at once.">
          {(ask) => <IconButton icon="trash" label={`Remove the rule ${name}`} onClick={ask} />}
        </Confirm>
      )}
    </li>
  );
}

/** The rules by which open incidents keep others silent. */
export function Inhibitions() {
  const rules = useInhibitionRules();
  const session = useSession();
  const managed = useManaged();
  const [making, setMaking] = useState(false);
  if (rules.data === null) return null;
  return (
    <Panel title="Inhibition rules" actions={managed.length > 0 ? <Button small icon="plus" onClick={() => setMaking(true)}>New rule</Button> : null}>
      {rules.isPending && <Skeleton rows={1} />}
      {rules.isError && <Failure error={rules.error} retry={() => void rules.refetch()} />}
      {rules.data?.length === 0 && <p className="pad muted">None. A rule keeps silent what follows from something that is known: while the database is down, each app that cannot reach it.</p>}
      <ul className="rows">
        {rules.data?.map((rule) => <Row key={rule.id} rule={rule} manage={accessTo(session, rule.team).manage} />)}
      </ul>
      {making && <RuleDialog onClose={() => setMaking(false)} />}
    </Panel>
  );
}
