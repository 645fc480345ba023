import { call } from "../../api/client.ts";
import { useHandoffNotices } from "../../api/oncall.ts";
import type { HandoffNotices as Notices } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Check, Failure, Panel, Skeleton } from "../../ui/kit.tsx";

const BEFORE = [[24, "A day before"], [12, "12 hours before"], [1, "An hour before"], [0, "When it begins"]] as const;

/** When one is told by mail of one's shifts; a change counts at once. */
export function HandoffNotices() {
  const notices = useHandoffNotices();
  const save = useChange((body: Notices) => call("PUT", "/account/handoff-notices", { body }), { touches: ["handoff-notices"] });
  const { data } = notices;
  // One after the other: each sends all of it.
  const set = (next: Notices): void => {
    if (!save.isPending) save.mutate(next);
  };
  const toggled = (hours: number[], one: number): number[] => (hours.includes(one) ? hours.filter((other) => other !== one) : [...hours, one]);
  return (
    <Panel title="My shifts by mail">
      {notices.isPending && <Skeleton rows={2} />}
      {notices.isError && <Failure error={notices.error} retry={() => void notices.refetch()} />}
      {data !== undefined && (
        <fieldset className="pad" aria-busy={save.isPending}>
          <legend className="muted">A mail says from when until when you are on call.</legend>
          {BEFORE.map(([hours, label]) => <Check key={hours} label={label} checked={data.before_hours.includes(hours)} onChange={() => set({ ...data, before_hours: toggled(data.before_hours, hours) })} />)}
          <Check label="When it ends" checked={data.going_off} onChange={() => set({ ...data, going_off: !data.going_off })} />
        </fieldset>
      )}
    </Panel>
  );
}
