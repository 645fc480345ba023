import { Link } from "react-router-dom";
import { useProjects, useTrace } from "../../api/queries.ts";
import type { EventBody } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { LevelBadge, Panel } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

/** The other events of the same trace, from whatever service. */
export function SameTrace({ event }: { event: EventBody }) {
  const trace = useTrace(event.trace_id);
  const projects = useProjects().data;
  const others = (trace.data?.items ?? []).filter((other) => other.event_id !== event.event_id || other.project !== event.project);
  const hidden = trace.data?.hidden ?? 0;
  if (others.length === 0 && hidden === 0) return null;
  return (
    <Panel title="Same trace">
      <ul className="rows">
        {others.map((other) => (
          <li key={`${other.project} ${other.event_id}`}>
            <div className="grow">
              <Link to={`/issues/${other.issue}/events/${other.event_id}`}><Untrusted limit={140}>{other.title}</Untrusted></Link>
              <div className="muted">{projects?.find((project) => project.id === other.project)?.name ?? `project ${other.project}`} · <Time at={other.timestamp} /></div>
            </div>
            <LevelBadge level={other.level} />
          </li>
        ))}
      </ul>
      {hidden > 0 && <p className="pad muted">{plural(hidden, "event")} hidden: of teams that you are not in.</p>}
      {trace.data?.more === true && <p className="pad muted">There are more.</p>}
    </Panel>
  );
}
