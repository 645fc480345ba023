/** A calendar at an address that a schedule follows. The address is a secret: it is given, and never shown again. */
import { useEffect, useState } from "react";
import { call } from "../../api/client.ts";
import { useMembers } from "../../api/oncall.ts";
import type { CalendarSubscription, Schedule } from "../../api/types.ts";
import { useChanged } from "../../lib/live.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { inZone } from "../../lib/zone.ts";
import { Button, Form, Input, Select } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Mistakes } from "./parts.tsx";

const pathOf = (schedule: Schedule): string => `/schedules/${schedule.id}/subscription`;

/** Which calendar a schedule is to follow. */
export function Subscribe({ schedule }: { schedule: Schedule }) {
  const [url, setUrl] = useState("");
  const save = useChange(() => call<CalendarSubscription>("PUT", pathOf(schedule), { body: { url } }), { touches: ["schedules"], done: "The schedule follows the calendar" });
  return (
    <Form onSubmit={() => save.mutate(undefined)}>
      <p className="muted">The calendar is fetched every 15 minutes, and its events of the coming 180 days become overrides that put people on call. What was imported before is replaced, what people have made stays.</p>
      <Input label="Address of the calendar (iCal)" type="url" value={url} autoComplete="off" spellCheck={false} placeholder="https://calendar.google.com/calendar/ical/…/basic.ics" error={save.wrong("url")} help="For a private calendar take its secret address. It is kept, and shown nowhere again but for its host." onChange={(event) => setUrl(event.target.value)} />
      <Mistakes problem={save.problem} except={["url"]} />
      <div className="dialogactions">
        <Button type="submit" look="primary" busy={save.isPending} disabled={url.trim() === ""}>Subscribe</Button>
      </div>
    </Form>
  );
}

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

/** Ends it, once somebody has read what goes with it. */
function Stop({ schedule, followed }: { schedule: Schedule; followed: CalendarSubscription }) {
  const [asking, setAsking] = useState(false);
  const stop = useChange(() => call("DELETE", pathOf(schedule)), { touches: ["schedules"], done: "The schedule follows no calendar any more" });
  if (!asking) return <Button look="danger" icon="trash" onClick={() => setAsking(true)}>Stop</Button>;
  return (
    <>
      <span role="status">{followed.overrides === 0 ? "Stop following it?" : `The ${followed.overrides} overrides that it made end.`}</span>
      <Button onClick={() => setAsking(false)}>Leave it</Button>
      <Button look="danger" busy={stop.isPending} onClick={() => stop.mutate(undefined)}>Stop following it</Button>
    </>
  );
}

/** How it goes with the calendar that a schedule follows, and who its people are. */
export function Followed({ schedule, followed }: { schedule: Schedule; followed: CalendarSubscription }) {
  const members = (useMembers(schedule.team).data ?? []).filter((member) => !member.disabled);
  const say = useChange((people: Record<string, number>) => call<CalendarSubscription>("PUT", pathOf(schedule), { body: { people } }), { touches: ["schedules"], done: "The calendar is read again" });
  const fetchNow = useChange(() => call<CalendarSubscription>("POST", `${pathOf(schedule)}/fetch`), { touches: ["schedules"], done: "The calendar is fetched within a minute" });
  const changed = useChanged();
  // The page behind shows what the calendar says as soon as it was read.
  useEffect(() => { void changed("schedules"); }, [changed, followed.changed_at]);
  const people: Record<string, number> = followed.people;
  const names = [...new Set([...Object.keys(people), ...followed.unknown.map((one) => one.name)])];
  const choose = (who: string, id: string): void => {
    const next = { ...people };
    if (id === "") Reflect.deleteProperty(next, who);
    else next[who] = Number(id);
    say.mutate(next);
  };
  const options = [["", "Leave out"], ...members.map((member) => [String(member.id), member.name] as const)] as const;
  return (
    <>
      <div aria-live="polite">
        {followed.failed_since !== null && (
          <div className="wrongbox">
            It cannot be fetched since <Time at={followed.failed_since} />: <Untrusted limit={300}>{followed.last_error ?? ""}</Untrusted>. What it said last counts.
          </div>
        )}
        <State followed={followed} zone={schedule.zone} />
      </div>
      {names.map((who) => <Select key={who} label={`Who is ${neutralise(who)}?`} value={String(people[who] ?? "")} disabled={say.isPending} onChange={(event) => choose(who, event.target.value)} options={options} />)}
      <Mistakes problem={say.problem} />
      <div className="dialogactions">
        <Stop schedule={schedule} followed={followed} />
        <Button look="primary" busy={fetchNow.isPending} onClick={() => fetchNow.mutate(undefined)}>Fetch now</Button>
      </div>
    </>
  );
}
