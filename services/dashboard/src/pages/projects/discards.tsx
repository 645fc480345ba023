import { call } from "../../api/client.ts";
import { useIfThere } from "../../api/queries.ts";
import type { Discard, Project } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Absent, Button, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

/** What is dropped since its issue was discarded, and how its events are let in again. */
export function Discards({ project, triage }: { project: Project; triage: boolean }) {
  const base = `/projects/${project.id}/discards`;
  const discards = useIfThere<Discard>("discards", base);
  const undo = useChange((id: number) => call("DELETE", `${base}/${id}`), { touches: ["discards"], done: "Such events are let in again" });
  const items = discards.data ?? [];
  return (
    <Panel title="Discarded issues">
      <p className="pad muted">Events of these issues are dropped, as somebody chose when they deleted the issue. Let in again, the next one makes a new issue.</p>
      {discards.isPending && <Skeleton rows={2} />}
      {discards.isError && <Failure error={discards.error} retry={() => void discards.refetch()} />}
      {discards.data === null && <Absent what="The list of what is discarded" />}
      {discards.data?.length === 0 && <p className="pad">Nothing is discarded.</p>}
      {items.length > 0 && <ul className="rows">
        {items.map((d) => (
          <li key={d.id}>
            <div className="grow">
              <strong><Untrusted limit={200}>{d.title}</Untrusted></strong>
              <div><small className="muted">by <Untrusted limit={80}>{d.created_by}</Untrusted> · <Time at={d.created_at} /> · {plural(d.fingerprints, "fingerprint")}</small></div>
            </div>
            {triage && <Button small busy={undo.isPending && undo.variables === d.id} onClick={() => undo.mutate(d.id)}>Let in again<span className="sr"> <Untrusted limit={200}>{d.title}</Untrusted></span></Button>}
          </li>
        ))}
      </ul>}
    </Panel>
  );
}
