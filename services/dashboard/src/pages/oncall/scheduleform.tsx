import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useMembers, useSchedule } from "../../api/oncall.ts";
import type { Schedule } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { timeZone } from "../../lib/time.ts";
import { wallOf } from "../../lib/zone.ts";
import { Button, ButtonLink, Failure, Form, Input, Page, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { LayerFields } from "./layerform.tsx";
import { draftOf, layerOf, newDraft, type Draft } from "./layers.ts";
import { ForManagers, Mistakes, moved, Order, replaced, TeamSelect, useManaged, without } from "./parts.tsx";

const MAX_LAYERS = 30;

function Editor({ schedule }: { schedule: Schedule | null }) {
  const navigate = useNavigate();
  const managed = useManaged();
  const [name, setName] = useState(schedule?.name ?? "");
  const [zone, setZone] = useState(schedule?.zone ?? timeZone());
  const [chosenTeam, setTeam] = useState(schedule?.team);
  const fresh = (): Draft => newDraft(wallOf(Date.now(), zone).slice(0, 10));
  const [layers, setLayers] = useState<Draft[]>(() => schedule?.layers.map((layer) => draftOf(layer, schedule.zone)) ?? [fresh()]);
  const team = chosenTeam ?? managed[0]?.id;
  const members = useMembers(team).data ?? [];
  const save = useChange(
    () => call<Schedule>(schedule === null ? "POST" : "PUT", schedule === null ? "/schedules" : `/schedules/${schedule.id}`, { body: { name: name.trim(), zone, team, layers: layers.map((layer) => layerOf(layer, zone)) } }),
    { touches: ["schedules"], done: "Saved" },
  );
  const zones = [...new Set([zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  const back = schedule === null ? "/on-call" : `/on-call/schedules/${schedule.id}`;
  return (
    <Form className="longform" onSubmit={() => save.mutate(undefined, { onSuccess: ({ id }) => navigate(`/on-call/schedules/${id}`) })}>
      <Panel>
        <div className="formbody">
          <div className="formgrid">
            <Input label="Name" value={name} maxLength={64} onChange={(event) => setName(event.target.value)} error={save.wrong("name")} />
            <Select label="Time zone" value={zone} onChange={(event) => setZone(event.target.value)} options={zones.map((one) => [one, one.replace(/_/g, " ")] as const)} error={save.wrong("zone")} help="Handoffs and hours are on its clocks, whatever summer time does" />
            <TeamSelect teams={managed} value={team} disabled={schedule !== null} onChange={setTeam} />
          </div>
        </div>
      </Panel>
      {layers.map((layer, index) => (
        <Panel
          key={index} title={`Layer ${index + 1}`}
          actions={<Order what={`layer ${index + 1}`} index={index} count={layers.length} move={(by) => setLayers(moved(layers, index, by))} remove={() => setLayers(without(layers, index))} />}
        >
          <div className="formbody"><LayerFields draft={layer} index={index} members={members} set={(part) => setLayers(replaced(layers, index, { ...layer, ...part }))} /></div>
        </Panel>
      ))}
      <p className="muted">Where a later layer has somebody, it goes before the earlier ones.</p>
      <Button icon="plus" disabled={layers.length >= MAX_LAYERS} onClick={() => setLayers([...layers, fresh()])}>Add a layer</Button>
      <Mistakes problem={save.problem} except={["name", "zone"]} />
      <div className="dialogactions">
        <ButtonLink to={back}>Leave it</ButtonLink>
        <Button type="submit" look="primary" busy={save.isPending}>{schedule === null ? "Create the schedule" : "Save"}</Button>
      </div>
    </Form>
  );
}

export default function ScheduleForm() {
  const { id } = useParams();
  useTitle(id === undefined ? "New schedule" : "Edit the schedule");
  if (id !== undefined) return <Existing id={id} />;
  return <ForManagers title="New schedule"><Editor schedule={null} /></ForManagers>;
}

function Existing({ id }: { id: string }) {
  const schedule = useSchedule(id);
  if (schedule.isPending) return <Skeleton />;
  if (schedule.data === undefined) return <Failure whole error={schedule.error} />;
  return <Page title="Edit the schedule" lead="Its overrides stay."><Editor schedule={schedule.data} /></Page>;
}
