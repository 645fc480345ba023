import { useEffect, useState } from "react";
import { Link } from "react-router-dom";
import { Problem } from "../../api/client.ts";
import { useIssueEvents, useNotifications } from "../../api/queries.ts";
import type { EventBody, Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useFilter } from "../../lib/hooks.ts";
import { Button, Empty, Failure, Form, Input, LevelBadge, Skeleton } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { NotificationTable } from "../notifications.tsx";
import { goesOn, without } from "./walk.ts";

/** One that was parted from another has none at first. */
export const NoEvents = ({ issue }: { issue: Issue }) => (issue.count === 0
  ? <Empty icon="issues" title="No events yet">The next one will be here.</Empty>
  : <Empty icon="issues" title="No events left">They are older than what this project keeps.</Empty>);

interface Paged { hasNextPage: boolean; isFetchingNextPage: boolean; isFetchNextPageError: boolean; error: Error | null; fetchNextPage: () => Promise<unknown> }

/** The way to more of a list. */
export const Older = ({ list, label = "Show older" }: { list: Paged; label?: string }) => (
  <>
    {list.isFetchNextPageError && <Failure error={list.error} />}
    {list.hasNextPage && (
      <Button onClick={() => void list.fetchNextPage()} busy={list.isFetchingNextPage}>
        {label}
      </Button>
    )}
  </>
);

export function AllEvents({ issue, search }: { issue: Issue; search: string }) {
  const [query, setQuery] = useFilter("events");
  const [text, setText] = useState(query ?? "");
  const events = useIssueEvents(issue.short_id, query ?? "");
  const { hasNextPage, isFetching, isError, fetchNextPage } = events;
  const pages = events.data?.pages ?? [];
  const goOn = query !== null && hasNextPage && !isFetching && !isError && goesOn(pages);
  useEffect(() => {
    if (goOn) void fetchNextPage();
  }, [goOn, pages.length, fetchNextPage]);
  const items = pages.flatMap((page) => page.items);
  if (query === null && events.isSuccess && items.length === 0) return <NoEvents issue={issue} />;
  const mistake = events.error instanceof Problem && events.error.status === 422 ? (events.error.of("query")?.message ?? events.error.message) : undefined;
  const searched = pages.reduce((sum, page) => sum + (page.searched ?? 0), 0);
  const isSearching = events.isPending || events.isFetchingNextPage || goOn;
  return (
    <>
      <Form className="findevents" onSubmit={() => setQuery(text.trim() === "" ? null : text.trim())}>
        <Input label="Find events" value={text} onChange={(event) => setText(event.target.value)} placeholder="release:shop@1.4.* user.email:a@b.c" maxLength={500} spellCheck={false} autoComplete="off" error={mistake} />
      </Form>
      {items.length > 0 && <EventTable issue={issue} items={items} search={without(search, "tab")} />}
      {items.length === 0 && isSearching && <Skeleton />}
      {items.length === 0 && events.isSuccess && !isSearching && (hasNextPage ? <Empty icon="search" title="No event matches so far">{`None of the latest ${plural(searched, "event")} does.`}</Empty> : <Empty icon="search" title="No event matches" />)}
      {events.isLoadingError && mistake === undefined && <Failure error={events.error} retry={() => void events.refetch()} />}
      {!(items.length === 0 && isSearching) && <Older list={events} label={query === null ? "Older events" : "Search older events"} />}
    </>
  );
}

function EventTable({ issue, items, search }: { issue: Issue; items: EventBody[]; search: string }) {
  return (
    <Table label="Events" columns={["Event", "When", "Level", "Release", "Environment", "User"]}>
      {items.map((event) => (
        <Row key={event.event_id}>
          <Cell className="wide">
            <Link to={`/issues/${issue.short_id}/events/${event.event_id}${search}`}>
              <Untrusted limit={140}>{event.title}</Untrusted>
            </Link>
            <div className="muted mono">{event.event_id.slice(0, 8)}</div>
          </Cell>
          <Cell><Time at={event.timestamp} /></Cell>
          <Cell><LevelBadge level={event.level} /></Cell>
          <Cell><Untrusted limit={60}>{event.release ?? "–"}</Untrusted></Cell>
          <Cell><Untrusted limit={60}>{event.environment ?? "–"}</Untrusted></Cell>
          <Cell><Untrusted limit={60}>{event.user?.email ?? event.user?.username ?? event.user?.id ?? event.user?.ip_address ?? "–"}</Untrusted></Cell>
        </Row>
      ))}
    </Table>
  );
}

export function Sent({ issue }: { issue: Issue }) {
  const sent = useNotifications({ issue: issue.short_id });
  if (sent.isPending) return <Skeleton />;
  if (sent.isLoadingError) return <Failure error={sent.error} retry={() => void sent.refetch()} />;
  const items = sent.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Empty icon="notifications" title="Nobody was told">No destination of the project wanted to hear of this issue.</Empty>;
  return (
    <>
      <NotificationTable items={items} />
      <Older list={sent} />
    </>
  );
}
