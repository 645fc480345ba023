import { Fragment, useState } from "react";
import { Link } from "react-router-dom";
import { useNames } from "../api/oncall.ts";
import { useNotifications, useProjects } from "../api/queries.ts";
import type { Notification } from "../api/types.ts";
import { useFilter, useTitle } from "../lib/hooks.ts";
import { duration } from "../lib/time.ts";
import { Button, Empty, Failure, IconButton, Page, PriorityBadge, Skeleton } from "../ui/kit.tsx";
import { Cell, right, Row, Table, unnamed } from "../ui/table.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

const CHANNELS = [["", "any"], ["email", "Mail"], ["slack", "Slack"], ["sms", "SMS"], ["voice", "Call"], ["web_push", "Browser"], ["webhook", "Webhook"]] as const;

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

/** What it is about: an issue, an incident, and where they belong. */
function About({ item }: { item: Notification }) {
  const projects = useProjects().data;
  const place = item.project === null ? "no project" : (projects?.find((p) => p.id === item.project)?.name ?? `project ${item.project}`);
  return (
    <Cell className="what">
      <strong>{item.kind.replace(/_/g, " ")}</strong>{" "}
      {item.issue !== null && <Link to={`/issues/${item.issue_short_id ?? item.issue}`}>{item.issue_short_id ?? `issue ${item.issue}`}</Link>}{" "}
      {item.incident !== null && <Link to={`/incidents/${item.incident}`}>incident {item.incident}</Link>}
      <div className="muted"><Untrusted limit={60}>{place}</Untrusted></div>
    </Cell>
  );
}

/** How it stands and since when, with what its provider says became of it since. */
function Standing({ item }: { item: Notification }) {
  return (
    <Cell>
      <span className={`tag state ${item.state}`}>{item.state}</span>
      <div><Time at={item.created_at} /></div>
      {item.delivery !== null && <div className="muted">provider: {item.delivery}</div>}
      {item.attempts.length > 1 && <div className="muted">{item.attempts.length} attempts</div>}
    </Cell>
  );
}

/** A person's way for a page, else the destination by its name. */
function WhereTo({ item }: { item: Notification }) {
  const name = useNames();
  const place = item.user !== null ? name(item.user) : item.destination_name;
  return <Cell>{CHANNELS.find(([id]) => id === item.channel)?.[1] ?? item.channel} <Untrusted limit={80}>{place}</Untrusted></Cell>;
}

/** Notifications with how each went; a row opens to its attempts. */
export function NotificationTable({ items }: { items: Notification[] }) {
  const [open, setOpen] = useState<number | null>(null);
  return (
    <Table label="Notifications" columns={[unnamed("Attempts"), "State, when", "What", "Where to", "Priority", right("Latency")]}>
      {items.map((item) => (
        <Fragment key={item.id}>
          <Row>
            <Cell className="tight">
              <IconButton icon={open === item.id ? "down" : "right"} label={`Attempts of notification ${item.id}`} aria-expanded={open === item.id} onClick={() => setOpen(open === item.id ? null : item.id)} />
            </Cell>
            <Standing item={item} />
            <About item={item} />
            <WhereTo item={item} />
            <Cell><PriorityBadge priority={item.priority} /></Cell>
            <Cell>{item.latency_ms === null ? "–" : duration(item.latency_ms)}</Cell>
          </Row>
          {open === item.id && (
            <Row className="openrow">
              <Cell colSpan={6}>
                <Attempts item={item} />
              </Cell>
            </Row>
          )}
        </Fragment>
      ))}
    </Table>
  );
}

const STATES = ["", "pending", "sending", "sent", "failed", "cancelled", "bundled", "expired"];

export default function Notifications() {
  useTitle("Notifications");
  const [project] = useFilter("project");
  const [state, setState] = useFilter("state");
  const [channel, setChannel] = useFilter("channel");
  const log = useNotifications({ project, state, channel });
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
        <label className="inlinelabel">
          Channel
          <select value={channel ?? ""} onChange={(event) => setChannel(event.target.value === "" ? null : event.target.value)}>
            {CHANNELS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </label>
      </div>
      {log.isPending && <Skeleton />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isSuccess && items.length === 0 && <Empty icon="notifications" title="Nothing here">{state === null && channel === null ? "Add a destination to a project: mail, Slack, SMS or a webhook." : "Nothing was sent that fits."}</Empty>}
      {items.length > 0 && <NotificationTable items={items} />}
      {log.hasNextPage && (
        <Button onClick={() => void log.fetchNextPage()} busy={log.isFetchingNextPage}>
          Older
        </Button>
      )}
    </Page>
  );
}
