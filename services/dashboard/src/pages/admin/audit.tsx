import { useInfiniteQuery } from "@tanstack/react-query";
import { getIfThere } from "../../api/client.ts";
import type { AuditEntry, Json, List } from "../../api/types.ts";
import { Absent, Button, Empty, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Value } from "../../ui/json.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { AuditExport, AuditFilters, useAuditFilter } from "./auditfilter.tsx";

const isMap = (value: Json): value is { [key: string]: Json } => typeof value === "object" && value !== null && !Array.isArray(value);

/** What differs, field by field. */
function Difference({ before, after }: { before: Json; after: Json }) {
  const a = isMap(before) ? before : {};
  const b = isMap(after) ? after : {};
  const changed = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
  if (changed.length === 0) return <span className="muted">–</span>;
  return (
    <ul className="difference">
      {changed.slice(0, 8).map((name) => (
        <li key={name}>
          <b><Untrusted limit={60}>{name}</Untrusted></b>{" "}
          {a[name] !== undefined && <del><Value value={a[name]} /></del>} {b[name] !== undefined && <ins><Value value={b[name]} /></ins>}
        </li>
      ))}
    </ul>
  );
}

function Entries({ items }: { items: AuditEntry[] }) {
  return (
    <Table label="Audit log" columns={["When", "Who", "What", "Change", "From"]}>
      {items.map((entry) => (
        <Row key={entry.id}>
          <Cell><Time at={entry.at} /></Cell>
          <Cell><Untrusted limit={80}>{entry.actor.name ?? entry.actor.kind}</Untrusted>{" "}{entry.actor.kind !== "user" && <span className="tag">{entry.actor.kind}</span>}</Cell>
          <Cell><code>{entry.action}</code> <div><Untrusted limit={120}>{entry.target.name ?? `${entry.target.kind} ${entry.target.id ?? ""}`}</Untrusted></div></Cell>
          <Cell className="wide"><Difference before={entry.before} after={entry.after} /></Cell>
          <Cell className="mono">{entry.address ?? "–"}</Cell>
        </Row>
      ))}
    </Table>
  );
}

export function Audit() {
  const filter = useAuditFilter();
  const log = useInfiniteQuery({
    queryKey: ["audit", filter.params],
    queryFn: ({ pageParam, signal }) => getIfThere<List<AuditEntry>>("/audit", { params: { ...filter.params, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last?.next ?? null,
  });
  if (log.data?.pages[0] === null) return <Panel><Absent what="The audit log" /></Panel>;
  const items = log.data?.pages.flatMap((page) => page?.items ?? []) ?? [];
  return (
    <Panel title="Audit log" actions={log.isSuccess ? <AuditExport params={filter.params} /> : null}>
      {/* They stay while the log is read anew, so that the focus does. */}
      <AuditFilters filter={filter} seen={items} />
      {log.isPending && <Skeleton />}
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isSuccess && items.length === 0 && <Empty icon="admin" title="Nothing here">{filter.chosen ? "Nothing was changed that fits." : "Every change is written down: who, what, from where."}</Empty>}
      {items.length > 0 && <Entries items={items} />}
      {log.hasNextPage && <div className="pad"><Button onClick={() => void log.fetchNextPage()} busy={log.isFetchingNextPage}>Older</Button></div>}
    </Panel>
  );
}
