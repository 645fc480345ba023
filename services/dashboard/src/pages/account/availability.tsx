import { useState } from "react";
import { call } from "../../api/client.ts";
import { useAvailability } from "../../api/ownership.ts";
import type { Availability } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Failure, Form, Input, Panel, Skeleton } from "../../ui/kit.tsx";

/** A time as the browser's field for one has it, by the clock of the browser. */
function local(time: string | null | undefined): string {
  if (time === null || time === undefined) return "";
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Editor({ availability }: { availability: Availability }) {
  const [available, setAvailable] = useState(availability.available);
  const [until, setUntil] = useState(local(availability.away_until));
  const [most, setMost] = useState(String(availability.max_open_issues ?? ""));
  const body: Availability = {
    available,
    away_until: available || until === "" ? null : new Date(until).toISOString(),
    max_open_issues: most.trim() === "" ? null : Number(most),
  };
  const save = useChange(() => call("PUT", "/account/availability", { body }), { touches: ["availability"], done: "Saved" });
  return (
    <Form className="formbody narrow" onSubmit={() => save.mutate(undefined)}>
      <Check label="I can be given issues" help="By ownership rules, by schedules, or because I have least to do. Pages are another matter." checked={available} onChange={(event) => setAvailable(event.target.checked)} />
      {!available && <Input label="Away until" type="datetime-local" value={until} help="Empty: until I say otherwise" error={save.wrong("away_until")} onChange={(event) => setUntil(event.target.value)} />}
      <Input label="Open issues at most" type="number" min={1} max={10_000} value={most} placeholder="no limit" help="With so many I am given no more" error={save.wrong("max_open_issues")} onChange={(event) => setMost(event.target.value)} />
      <Button type="submit" look="primary" busy={save.isPending}>Save</Button>
    </Form>
  );
}

/** Whether one is given issues by themselves, and how many. */
export function MyAvailability() {
  const availability = useAvailability();
  return (
    <Panel title="Availability">
      {availability.isPending && <Skeleton rows={2} />}
      {availability.isError && <Failure error={availability.error} retry={() => void availability.refetch()} />}
      {availability.data !== undefined && <Editor availability={availability.data} />}
    </Panel>
  );
}
