import { useState } from "react";
import { call } from "../../api/client.ts";
import { useQuietHours } from "../../api/oncall.ts";
import type { Priority, QuietHours as Quiet, Restriction } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { moment } from "../../lib/time.ts";
import { Button, Dialog, Failure, Form, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { RestrictionFields } from "../oncall/layerform.tsx";
import { restrictionText } from "../oncall/layers.ts";
import { replaced, without } from "../oncall/parts.tsx";

const NIGHT: Restriction = { weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "22:00", to: "07:00" };
const NOTHING = "nothing";
const BREAKS = [["critical", "What is critical"], ["high", "What is high or critical"], [NOTHING, "Nothing: everything waits"]] as const;

function exception({ breaks_through: least }: Quiet): string {
  if (least === null) return "Nothing pages you before.";
  return `${BREAKS.find(([id]) => id === least)?.[1] ?? `What is ${least} or more`} pages you all the same.`;
}

function ChangeDialog({ quiet, onClose }: { quiet: Quiet; onClose: () => void }) {
  const [hours, setHours] = useState<Restriction[]>(quiet.hours.length === 0 ? [NIGHT] : quiet.hours);
  const [breaks, setBreaks] = useState<string>(quiet.breaks_through ?? NOTHING);
  const body = { hours, breaks_through: breaks === NOTHING ? null : (breaks as Priority) };
  const save = useChange(() => call("PUT", "/account/quiet-hours", { body }), { touches: ["quiet-hours"], done: "The quiet hours are saved" });
  const wrong = save.problem?.errors[0]?.message;
  return (
    <Dialog title="Quiet hours" onClose={onClose} wide>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <p className="muted">By the clock of {quiet.zone}, the time zone of your account.</p>
        {hours.map((one, place) => (
          <RestrictionFields key={place} restriction={one} index={place} set={(next) => setHours(replaced(hours, place, next))} remove={() => setHours(without(hours, place))} />
        ))}
        <p><Button small icon="plus" onClick={() => setHours([...hours, NIGHT])}>Add hours</Button></p>
        <Select label="What pages you all the same" value={breaks} onChange={(event) => setBreaks(event.target.value)} options={BREAKS} />
        {wrong !== undefined && <p className="bad" role="alert">{wrong}</p>}
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending}>Save</Button></div>
      </Form>
    </Dialog>
  );
}

/** When one's pages wait. */
export function QuietHours() {
  const quiet = useQuietHours();
  const [changing, setChanging] = useState(false);
  const { data } = quiet;
  return (
    <Panel title="My quiet hours" actions={<Button small icon="edit" disabled={data === undefined} onClick={() => setChanging(true)}>Change</Button>}>
      {quiet.isPending && <Skeleton rows={1} />}
      {quiet.isError && <Failure error={quiet.error} retry={() => void quiet.refetch()} />}
      {data?.hours.length === 0 && <p className="pad muted">None: you are told at any hour.</p>}
      {data !== undefined && data.hours.length > 0 && (
        <>
          <ul className="rows">{data.hours.map((one, place) => <li key={place}><strong>{restrictionText(one)}</strong></li>)}</ul>
          <p className="pad muted">
            {data.quiet_until !== null && <strong>It is quiet until {moment(data.quiet_until)}. </strong>}
            By the clock of {data.zone}. Pages wait for their end, and the escalation goes on meanwhile. {exception(data)}
          </p>
        </>
      )}
      {changing && data !== undefined && <ChangeDialog quiet={data} onClose={() => setChanging(false)} />}
    </Panel>
  );
}
