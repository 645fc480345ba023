import { Link } from "react-router-dom";
import { useNames, useOnCall, useSchedules } from "../../api/oncall.ts";
import type { Schedule } from "../../api/types.ts";
import { useNow } from "../../lib/hooks.ts";
import { moment, relative } from "../../lib/time.ts";
import { Absent, ButtonLink, Empty, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Person, useManaged } from "./parts.tsx";

/** Who is on call by a schedule, and who comes next. */
export function Now({ schedule }: { schedule: Schedule }) {
  const now = useOnCall(schedule.id);
  const name = useNames();
  const clock = useNow();
  if (now.isPending) return <Skeleton rows={1} />;
  if (now.isError) return <p className="bad">Who is on call could not be loaded.</p>;
  const { on_call: current, next_handoff: next } = now.data;
  return (
    <dl className="oncallnow">
      <div>
        <dt>Now</dt>
        <dd>{current.length === 0 ? <strong className="bad">Nobody is on call</strong> : current.map(({ who }) => <Person key={who} name={name(who)} />)}</dd>
      </div>
      <div>
        <dt>Next</dt>
        <dd>
          {next === null ? (
            <span className="muted">nothing changes</span>
          ) : (
            <>
              {next.after.length === 0 ? <strong className="bad">nobody: a gap</strong> : next.after.map((who) => <Person key={who} name={name(who)} />)}
              <span className="muted"> from <time dateTime={next.at}>{moment(next.at)}</time>, {relative(next.at, clock)}</span>
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

export function Schedules() {
  const schedules = useSchedules();
  const managed = useManaged();
  const add = managed.length > 0 ? <ButtonLink to="/on-call/schedules/new" icon="plus">New schedule</ButtonLink> : null;
  if (schedules.isPending) return <Skeleton />;
  if (schedules.isError) return <Failure error={schedules.error} retry={() => void schedules.refetch()} />;
  if (schedules.data === null) return <Panel><Absent what="On-call" /></Panel>;
  if (schedules.data.length === 0) return <Panel><Empty icon="oncall" title="No schedules yet" action={add}>A schedule says who is on call when: people who take turns, with exceptions.</Empty></Panel>;
  return (
    <>
      <div className="tabbar">{add}</div>
      <ul className="cards oncallcards">
        {schedules.data.map((schedule) => (
          <li key={schedule.id}>
            <h2><Link className="cover" to={`/on-call/schedules/${schedule.id}`}><Untrusted limit={64}>{schedule.name}</Untrusted></Link></h2>
            <p className="muted">{schedule.zone.replace(/_/g, " ")}</p>
            <Now schedule={schedule} />
          </li>
        ))}
      </ul>
    </>
  );
}
