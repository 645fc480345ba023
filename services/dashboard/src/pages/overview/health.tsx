import { type ReactNode } from "react";
import { useHealth, useServices } from "../../api/queries.ts";
import type { Health, Json, Service } from "../../api/types.ts";
import { bytes, full, plural } from "../../lib/format.ts";
import { Panel, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

function Checks({ health }: { health: Health }) {
  return (
    <ul className="checks">
      {Object.entries(health.checks).map(([name, check]) => (
        <li key={name}>
          <span className={`dot ${check.healthy ? "good" : "bad"}`} aria-hidden="true" />
          <div>
            <strong>{name}</strong>
            <span className="sr">{check.healthy ? " is fine: " : " is not well: "}</span>
            <small><Untrusted limit={200}>{check.message}</Untrusted></small>
          </div>
        </li>
      ))}
    </ul>
  );
}

const count = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
const fields = (value: Json | undefined): Record<string, Json | undefined> => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});

function Last({ what, at }: { what: string; at: Json | undefined }) {
  return typeof at === "string" ? <>last {what} <Time at={at} /></> : <>no {what} yet</>;
}

/** What a process says of itself: what waits, what was given up, and when it last did its work. */
function said(service: Service): ReactNode[] {
  const state = fields(service.state);
  switch (service.service) {
    case "ingest":
      return [`${full(count(state.accepted_items))} accepted`, `spool: ${plural(count(state.spool_batches), "batch", "batches")}, ${bytes(count(state.spool_bytes))}`, state.can_accept === false ? <strong key="shut">cannot accept</strong> : null];
    case "recorder": {
      const queues = Object.values(state).map(fields).filter((queue) => "messages" in queue);
      const sum = (name: string): number => queues.reduce((total, queue) => total + count(queue[name]), 0);
      return [<Last key="last" what="event" at={state.last_event} />, `backlog: ${full(sum("messages"))}`, plural(sum("dead"), "dead letter")];
    }
    case "notifier": {
      const overdue = Object.values(fields(state.overdue)).reduce<number>((total, value) => total + count(value), 0);
      return [<Last key="last" what="notification" at={state.last_sent} />, `overdue: ${full(overdue)}`];
    }
    default:
      return [];
  }
}

function Process({ service }: { service: Service }) {
  const parts = said(service).filter((part) => part !== null);
  return (
    <li>
      <span className={`dot ${service.alive ? "good" : "bad"}`} aria-hidden="true" />
      <div>
        <strong>{service.service}</strong>
        <span className="sr">{service.alive ? " is alive: " : " does not show itself: "}</span>
        <small>
          {service.version} · {service.alive ? "seen" : "last seen"} <Time at={service.seen_at} />
        </small>
        {parts.length > 0 && (
          <small>
            {parts.map((part, index) => (
              <span key={index}>{index > 0 && " · "}{part}</span>
            ))}
          </small>
        )}
      </div>
    </li>
  );
}

/** Its checks, and each process by its sign of life. */
export function BugleHealth() {
  const health = useHealth();
  const services = useServices().data?.items ?? [];
  const healthy = health.data?.healthy === true && services.every((service) => service.alive);
  return (
    <Panel title="Bugle itself" actions={health.data === undefined ? null : <span className={`tag state ${healthy ? "sent" : "failed"}`}>{healthy ? "healthy" : "not well"}</span>}>
      {health.isPending && <Skeleton rows={4} />}
      {health.isError && <p className="pad muted">Its health cannot be read.</p>}
      {health.data !== undefined && <Checks health={health.data} />}
      {services.length > 0 && (
        <ul className="checks heartbeats" aria-label="Processes">
          {services.map((service) => <Process key={`${service.service} ${service.instance}`} service={service} />)}
        </ul>
      )}
    </Panel>
  );
}
