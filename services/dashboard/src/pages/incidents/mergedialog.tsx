import { useState } from "react";
import { useNavigate } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useOpenIncidents } from "../../api/oncall.ts";
import type { Incident } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Dialog, Failure, Form, Select, Skeleton } from "../../ui/kit.tsx";

/** Makes an incident part of another open one of its team. */
export function MergeDialog({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const open = useOpenIncidents();
  const navigate = useNavigate();
  const [into, setInto] = useState("");
  const run = async (): Promise<void> => {
    await call("POST", `/incidents/${incident.id}/merge`, { body: { into: Number(into) } });
    // Before this incident is read again: one that has ended has no dialogs.
    onClose();
    navigate(`/incidents/${into}`);
  };
  const merge = useChange(run, { touches: ["incident", "incidents"], done: "The incident is part of the other one" });
  const others = open.data?.filter((one) => one.team === incident.team && one.id !== incident.id) ?? [];
  return (
    <Dialog title="Merge into another incident" onClose={onClose}>
      {open.isPending && <Skeleton rows={1} />}
      {open.isError && <Failure error={open.error} retry={() => void open.refetch()} />}
      {open.isSuccess && others.length === 0 && <p>No other incident of the team is open.</p>}
      {others.length > 0 && (
        <Form onSubmit={() => into !== "" && merge.mutate(undefined)}>
          <Select
            label="Into which" value={into} onChange={(event) => setInto(event.target.value)} error={merge.wrong("into")}
            help="This one ends, and pages nobody any more. What comes of its issue or alert goes onto the timeline of the other one while that is open."
            options={[["", "Choose…"], ...others.map((one) => [String(one.id), `#${one.id} ${one.title.slice(0, 120)}`] as const)]}
          />
          <div className="dialogactions"><Button type="submit" look="primary" busy={merge.isPending} disabled={into === ""}>Merge</Button></div>
        </Form>
      )}
    </Dialog>
  );
}
