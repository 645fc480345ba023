/** A calendar at an address that a schedule follows. The address is a secret: it is given, and never shown again. */
import { useEffect, useState, type ReactNode } from "react";
import { call } from "../../api/client.ts";
import { useMembers, useNames } from "../../api/oncall.ts";
import type { CalendarSubscription, Schedule } from "../../api/types.ts";
import { useChanged } from "../../lib/live.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { inZone } from "../../lib/zone.ts";
import { Button, Form, Input, Select } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Mistakes } from "./parts.tsx";

const pathOf = (schedule: Schedule): string => `/schedules/${schedule.id}/subscription`;

function AddressForm({ schedule, action, done, onDone, children }: { schedule: Schedule; action: string; done: string; onDone?: () => void; children: ReactNode }) {
  const [url, setUrl] = useState("");
  const save = useChange(() => call<CalendarSubscription>("PUT", pathOf(schedule), { body: { url } }), { touches: ["schedules"], done });
  return (
    <Form onSubmit={() => save.mutate(undefined, { onSuccess: () => onDone?.() })}>
      <p className="muted">{children}</p>
      <Input label="Address of the calendar (iCal)" type="url" value={url} autoComplete="off" spellCheck={false} placeholder="https://calendar.google.com/calendar/ical/…/basic.ics" error={save.wrong("url")} help="For a private calendar take its secret address. It is kept, and shown nowhere again but for its host." onChange={(event) => setUrl(event.target.value)} autoFocus={onDone !== undefined} />
      <Mistakes problem={save.problem} except={["url"]} />
      <div className="dialogactions">
        {onDone !== undefined && <Button onClick={onDone}>Leave it</Button>}
        <Button type="submit" look="primary" busy={save.isPending} disabled={url.trim() === ""}>{action}</Button>
      </div>
    </Form>
  );
}

/** Which calendar a schedule is to follow. */
export const Subscribe = ({ schedule }: { schedule: Schedule }) => (
  <AddressForm schedule={schedule} action="Subscribe" done="The schedule follows the calendar">
    The calendar is fetched every 15 minutes, and its events of the coming 180 days become overrides that put people on call. What was imported before is replaced as soon as it is known who its people are, what people have made stays.
  </AddressForm>
);

function State({ followed, zone }: { followed: CalendarSubscription; zone: string }) {
  return (
    <dl className="facts side">
      <div><dt>Calendar</dt><dd><Untrusted limit={300}>{followed.host}</Untrusted></dd></div>
      <div><dt>Given by</dt><dd><Untrusted limit={128}>{followed.created_by}</Untrusted>, <Time at={followed.created_at} /></dd></div>
      <div><dt>Fetched</dt><dd>{followed.fetched_at === null ? "not yet" : <Time at={followed.fetched_at} />}</dd></div>
      <div><dt>Changed</dt><dd><Time at={followed.changed_at} /></dd></div>
      <div><dt>Overrides</dt><dd>{followed.overrides}{followed.taken_until !== null && `, of events until ${inZone(followed.taken_until, zone)}`}</dd></div>
      {followed.problems > 0 && <div><dt>Left out</dt><dd>{followed.problems} events that cannot be read</dd></div>}
    </dl>
  );
}

/** Ends it, once somebody has read what goes with it. The focus goes with the question, and back. */
function Stop({ schedule, followed }: { schedule: Schedule; followed: CalendarSubscription }) {
  const [asking, setAsking] = useState<boolean | null>(null);
  const stop = useChange(() => call("DELETE", pathOf(schedule)), { touches: ["schedules"], done: "The schedule follows no calendar any more" });
  if (asking !== true) return <Button look="danger" icon="trash" autoFocus={asking === false} onClick={() => setAsking(true)}>Stop</Button>;
  return (
    <>
      <span role="status">{followed.overrides === 0 ? "Stop following it?" : `The ${followed.overrides} overrides that it made end.`}</span>
      <Button autoFocus onClick={() => setAsking(false)}>Leave it</Button>
      <Button look="danger" busy={stop.isPending} onClick={() => stop.mutate(undefined)}>Stop following it</Button>
    </>
  );
}

/** Who the calendar's people are: said of all at once, since each time it is read again. */
function Who({ schedule, followed }: { schedule: Schedule; followed: CalendarSubscription }) {
  const members = useMembers(schedule.team).data;
  const nameOf = useNames();
  // Null: as the server says, which may change while the dialog is open.
  const [draft, setDraft] = useState<Record<string, number> | null>(null);
  const save = useChange((people: Record<string, number>) => call<CalendarSubscription>("PUT", pathOf(schedule), { body: { people } }), { touches: ["schedules"], done: "The calendar is read again" });
  const people: Record<string, number> = draft ?? followed.people;
  const names = [...new Set([...Object.keys(followed.people), ...followed.unknown.map((one) => one.name), ...Object.keys(people)])];
  const present = (members ?? []).filter((member) => !member.disabled);
  const choose = (who: string, id: string): void => {
    const next = { ...people };
    if (id === "") Reflect.deleteProperty(next, who);
    else next[who] = Number(id);
    setDraft(next);
  };
  const optionsFor = (id: number | undefined): (readonly [string, string])[] => {
    const gone = id !== undefined && !present.some((member) => member.id === id);
    const options = present.map((member) => [String(member.id), member.name] as const);
    return [["", "Leave out"], ...options, ...(gone ? [[String(id), members === undefined ? nameOf(id) : `${nameOf(id)} (not in the team any more)`] as const] : [])];
  };
  if (names.length === 0) return null;
  return (
    <Form onSubmit={() => save.mutate(people, { onSuccess: () => setDraft(null) })}>
      {followed.unknown.length > 0 && <p className="muted">Events of people whom nobody knows are left out. What was imported before this calendar stays until it is said here who they are.</p>}
      {names.map((who) => <Select key={who} label={`Who is ${neutralise(who)}?`} value={String(people[who] ?? "")} disabled={save.isPending} onChange={(event) => choose(who, event.target.value)} options={optionsFor(people[who])} />)}
      <Mistakes problem={save.problem} />
      <div className="dialogactions">
        <Button type="submit" busy={save.isPending}>Save</Button>
      </div>
    </Form>
  );
}

/** How it goes with the calendar that a schedule follows, and who its people are. */
export function Followed({ schedule, followed }: { schedule: Schedule; followed: CalendarSubscription }) {
  const [moving, setMoving] = useState<boolean | null>(null);
  const fetchNow = useChange(() => call<CalendarSubscription>("POST", `${pathOf(schedule)}/fetch`), { touches: ["schedules"], done: "The calendar is fetched within a minute" });
  const changed = useChanged();
  // The page behind shows what the calendar says as soon as it was read.
  useEffect(() => { void changed("schedules"); }, [changed, followed.changed_at]);
  return (
    <>
      <div aria-live="polite">
        {followed.failed_since !== null && (
          <div className="wrongbox">
            It cannot be used since <Time at={followed.failed_since} />: <Untrusted limit={300}>{followed.last_error ?? ""}</Untrusted>. What it said last counts.
          </div>
        )}
      </div>
      <State followed={followed} zone={schedule.zone} />
      <Who schedule={schedule} followed={followed} />
      {moving === true ? (
        <AddressForm schedule={schedule} action="Change the address" done="The schedule follows the calendar at its new address" onDone={() => setMoving(false)}>
          Who its people are stays, and so does what it said until it was read there.
        </AddressForm>
      ) : (
        <div className="dialogactions">
          <Stop schedule={schedule} followed={followed} />
          <Button autoFocus={moving === false} onClick={() => setMoving(true)}>Change the address</Button>
          <Button look="primary" busy={fetchNow.isPending} onClick={() => fetchNow.mutate(undefined)}>Fetch now</Button>
        </div>
      )}
    </>
  );
}
