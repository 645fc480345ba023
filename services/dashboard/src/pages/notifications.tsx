import { Fragment, useState } from "react";
import { Link } from "react-router-dom";
import { useNotifications, useProjects } from "../api/queries.ts";
import type { Notification } from "../api/types.ts";
import { useFilter, useTitle } from "../lib/hooks.ts";
import { duration } from "../lib/time.ts";
import { Button, Empty, Failure, IconButton, Page, PriorityBadge, Skeleton, Table } from "../ui/kit.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

function Attempts({ item }: { item: Notification }) {
  return (
    <div className="attempts">
      {item.error !== null && <p className="bad"><Untrusted>{item.error}</Untrusted></p>}
      {item.attempts.length === 0 && <p className="muted">Nothing was tried yet.</p>}
      <ol>
        {item.attempts.map((attempt) => (
          <li key={attempt.number}>
            <span className="muted">{attempt.number}.</span> <Time at={attempt.started_at} /> <strong>{attempt.result}</strong> {attempt.status !== null && <code>{attempt.status}</code>}{" "}
            {attempt.duration_ms !== null && <span className="muted">{duration(attempt.duration_ms)}</span>} {attempt.answer !== null && <Untrusted limit={400}>{attempt.answer}</Untrusted>}
          </li>
        ))}
      </ol>
      {item.next_at !== null && <p className="muted">Next: <Time at={item.next_at} /></p>}
    </div>
  );
}

/** Notifications with how each went; a row opens to its attempts. */
export function NotificationTable({ items }: { items: Notification[] }) {
  const [open, setOpen] = useState<number | null>(null);
  const projects = useProjects().data;
  return (
    <Table label="Notifications">
      <thead>
        <tr>
          <th scope="col"><span className="sr">Attempts</span></th>
          <th scope="col">What</th>
          <th scope="col">Where to</th>
          <th scope="col">Priority</th>
          <th scope="col">State</th>
          <th scope="col">When</th>
          <th scope="col" className="right">Latency</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Fragment key={item.id}>
            <tr>
              <td className="tight">
                <IconButton icon={open === item.id ? "down" : "right"} label={`Attempts of notification ${item.id}`} aria-expanded={open === item.id} onClick={() => setOpen(open === item.id ? null : item.id)} />
              </td>
              <td className="what">
                <strong>{item.kind.replace(/_/g, " ")}</strong>{" "}
                {item.issue !== null && <Link to={`/issues/${item.issue}`}>issue {item.issue}</Link>}
                <div className="muted">{projects?.find((p) => p.id === item.project)?.name ?? `project ${item.project}`}</div>
              </td>
              <td>
                {item.channel} <span className="muted">#{item.destination}</span>
              </td>
              <td><PriorityBadge priority={item.priority} /></td>
              <td>
                <span className={`tag state ${item.state}`}>{item.state}</span>
                {item.attempts.length > 1 && <span className="muted"> {item.attempts.length} attempts</span>}
              </td>
              <td><Time at={item.created_at} /></td>
              <td className="right">{item.latency_ms === null ? "–" : duration(item.latency_ms)}</td>
            </tr>
            {open === item.id && (
              <tr className="openrow">
                <td />
                <td colSpan={6}>
                  <Attempts item={item} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </Table>
  );
}

const STATES = ["", "pending", "sending", "sent", "failed", "cancelled", "bundled", "expired"];

export default function Notifications() {
  useTitle("Notifications");
  const [project] = useFilter("project");
  const [state, setState] = useFilter("state");
  const log = useNotifications({ project, state });
  const items = log.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Notifications" lead="Everything that was sent or is on its way: to whom, when, and how it went.">
      <div className="listbar">
        <div className="segments" role="group" aria-label="State">
          {STATES.map((s) => (
            <button key={s} type="button" aria-pressed={(state ?? "") === s} onClick={() => setState(s === "" ? null : s)}>
              {s === "" ? "All" : s}
            </button>
          ))}
        </div>
      </div>
      {log.isPending && <Skeleton />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isSuccess && items.length === 0 && <Empty icon="notifications" title="Nothing here">Add a destination to a project: mail, Slack, SMS or a webhook.</Empty>}
      {items.length > 0 && <NotificationTable items={items} />}
      {log.hasNextPage && (
        <Button onClick={() => void log.fetchNextPage()} busy={log.isFetchingNextPage}>
          Older
        </Button>
      )}
    </Page>
  );
}
