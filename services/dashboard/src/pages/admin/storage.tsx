import { useStorage } from "../../api/queries.ts";
import { bytes } from "../../lib/format.ts";
import { Absent, Empty, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Meter } from "../../ui/spark.tsx";
import { Cell, right, Row, Table, unnamed } from "../../ui/table.tsx";

/** How much room each project takes. */
export function Storage() {
  const storage = useStorage();
  if (storage.isPending) return <Skeleton />;
  if (storage.isError) return <Failure error={storage.error} retry={() => void storage.refetch()} />;
  if (storage.data === null) return <Panel><Absent what="The room that projects take" /></Panel>;
  const rooms = storage.data.items.map((room) => ({ ...room, all: room.events_bytes + room.attachments_bytes })).sort((a, b) => b.all - a.all);
  const whole = rooms.reduce((sum, { all }) => sum + all, 0);
  if (rooms.length === 0) return <Empty icon="projects" title="No projects yet">They appear here with the room that they take.</Empty>;
  return (
    <Panel title={`${bytes(whole)} in all`}>
      <p className="pad muted">Events with their indexes, by a sample where there are many; attachments to the byte. What is older than a project keeps goes by itself.</p>
      <Table label="Storage" columns={["Project", right("Events"), right("Attachments"), right("All"), unnamed("Share")]}>
        {rooms.map((room) => (
          <Row key={room.project}>
            <Cell><strong>{room.name}</strong></Cell>
            <Cell>{bytes(room.events_bytes)}</Cell>
            <Cell>{bytes(room.attachments_bytes)}</Cell>
            <Cell>{bytes(room.all)}</Cell>
            <Cell className="share"><Meter part={room.all} whole={whole} /></Cell>
          </Row>
        ))}
      </Table>
    </Panel>
  );
}
