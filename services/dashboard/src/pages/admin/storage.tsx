import { useStorage } from "../../api/queries.ts";
import { bytes } from "../../lib/format.ts";
import { Absent, Empty, Failure, Panel, Skeleton, Table } from "../../ui/kit.tsx";
import { Meter } from "../../ui/spark.tsx";

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
      <Table label="Storage">
        <thead>
          <tr>
            <th scope="col">Project</th>
            <th scope="col" className="right">Events</th>
            <th scope="col" className="right">Attachments</th>
            <th scope="col" className="right">All</th>
            <th scope="col"><span className="sr">Share</span></th>
          </tr>
        </thead>
        <tbody>
          {rooms.map((room) => (
            <tr key={room.project}>
              <td><strong>{room.name}</strong></td>
              <td className="right">{bytes(room.events_bytes)}</td>
              <td className="right">{bytes(room.attachments_bytes)}</td>
              <td className="right">{bytes(room.all)}</td>
              <td className="share"><Meter part={room.all} whole={whole} /></td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
