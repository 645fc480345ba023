import { useState } from "react";
import { call } from "../../api/client.ts";
import { useMembers, useNames, useSubscription } from "../../api/oncall.ts";
import type { ImportedCalendar, Schedule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { inZone } from "../../lib/zone.ts";
import { Button, Dialog, Failure, Field, Form, Input, Select, Skeleton } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Mistakes } from "./parts.tsx";
import { Followed, Subscribe } from "./subscription.tsx";

/** How many shifts a preview shows; the rest is counted. */
const SHOWN = 20;

function Preview({ found, zone }: { found: ImportedCalendar; zone: string }) {
  const name = useNames();
  const rest = found.overrides.length - SHOWN;
  return (
    <>
      {found.overrides.length === 0 ? (
        <p>Nothing of it can be imported.</p>
      ) : (
        <Table label="Who will be on call" columns={["Who", "From", "To"]}>
          {found.overrides.slice(0, SHOWN).map((one) => (
            <Row key={`${one.who}-${one.from}`}><Cell><Untrusted limit={60}>{name(one.who)}</Untrusted></Cell><Cell>{inZone(one.from, zone)}</Cell><Cell>{inZone(one.to, zone)}</Cell></Row>
          ))}
        </Table>
      )}
      {rest > 0 && <p className="muted">And {rest} more.</p>}
      {found.replaced > 0 && <p>{found.replaced} that were imported before go for it.</p>}
      {found.conflicts.length > 0 && <p>{found.conflicts.length} are left out: an override names the same person in that time already.</p>}
      {found.problems.length > 0 && (
        <details>
          <summary>{found.problems.length} events cannot be read</summary>
          <ul>{found.problems.map((one) => <li key={one.uid + one.message}><Untrusted limit={300}>{one.message}</Untrusted></li>)}</ul>
        </details>
      )}
    </>
  );
}

/** The events of a calendar's file: first what it would make, then who is who, then for good. */
function FileImport({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const members = (useMembers(schedule.team).data ?? []).filter((member) => !member.disabled);
  const [calendar, setCalendar] = useState("");
  const [people, setPeople] = useState<Record<string, number>>({});
  // Whom the calendar names and nobody knew: they stay in the form once they are known.
  const [strangers, setStrangers] = useState<string[]>([]);
  const send = (given: Record<string, number>, dry: boolean) => call<ImportedCalendar>("POST", `/schedules/${schedule.id}/import`, { body: { calendar, people: given, dry_run: dry } });
  const preview = useChange((given: Record<string, number>) => send(given, true));
  const run = useChange(() => send(people, false), { touches: ["schedules"], done: "The calendar is imported" });
  const look = (given: Record<string, number>): void =>
    preview.mutate(given, { onSuccess: (found) => setStrangers((before) => [...new Set([...before, ...found.unknown.map((one) => one.name)])]) });
  const say = (who: string, id: string): void => {
    const next = { ...people };
    if (id === "") Reflect.deleteProperty(next, who);
    else next[who] = Number(id);
    setPeople(next);
    look(next);
  };
  const changed = (text: string): void => {
    setCalendar(text);
    setStrangers([]);
    setPeople({});
    preview.reset();
  };
  const problem = preview.problem ?? run.problem;
  const options = [["", "Leave out"], ...members.map((member) => [String(member.id), member.name] as const)] as const;
  return (
    <Form onSubmit={() => look(people)}>
      <p className="muted">The events of the coming 180 days become overrides that put people on call. What was imported before is replaced, what people have made stays.</p>
      <Input label="A calendar file (.ics)" type="file" accept=".ics,text/calendar" onChange={(event) => void event.target.files?.[0]?.text().then(changed)} />
      <Field label="Or its text">{(ids) => <textarea {...ids} className="mono" rows={5} value={calendar} spellCheck={false} placeholder="BEGIN:VCALENDAR…" onChange={(event) => changed(event.target.value)} />}</Field>
      {strangers.map((who) => <Select key={who} label={`Who is ${who}?`} value={String(people[who] ?? "")} onChange={(event) => say(who, event.target.value)} options={options} />)}
      <Mistakes problem={problem} />
      <div aria-live="polite">{preview.data !== undefined && <Preview found={preview.data} zone={schedule.zone} />}</div>
      <div className="dialogactions">
        <Button type="submit" busy={preview.isPending} disabled={calendar.trim() === ""}>Preview</Button>
        <Button look="primary" busy={run.isPending} disabled={preview.data === undefined || preview.data.overrides.length === 0} onClick={() => run.mutate(undefined, { onSuccess: onClose })}>Import</Button>
      </div>
    </Form>
  );
}

const WAYS = [["file", "Import a file"], ["address", "Subscribe to an address"]] as const;

/** The events of somebody's calendar as overrides: of a file once, or of an address again and again. A schedule that follows a calendar shows how it goes with that. */
export function ImportDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const subscription = useSubscription(schedule.id);
  const followed = subscription.data;
  const [way, setWay] = useState<(typeof WAYS)[number][0]>("file");
  const title = followed === null || followed === undefined ? `Import into ${neutralise(schedule.name)}` : `The calendar that ${neutralise(schedule.name)} follows`;
  return (
    <Dialog title={title} onClose={onClose} wide>
      {followed === undefined ? (
        subscription.isError ? <Failure error={subscription.error} retry={() => void subscription.refetch()} /> : <Skeleton rows={3} />
      ) : followed === null ? (
        <>
          <div className="segments" role="group" aria-label="What to import">
            {WAYS.map(([id, label]) => <button key={id} type="button" aria-pressed={way === id} onClick={() => setWay(id)}>{label}</button>)}
          </div>
          {way === "file" ? <FileImport schedule={schedule} onClose={onClose} /> : <Subscribe schedule={schedule} />}
        </>
      ) : (
        <Followed schedule={schedule} followed={followed} />
      )}
    </Dialog>
  );
}
