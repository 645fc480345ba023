import { useState } from "react";
import { call } from "../../api/client.ts";
import type { Restriction } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { timeZone } from "../../lib/time.ts";
import { instantOf, wallOf } from "../../lib/zone.ts";
import { Button, Dialog, Form, Input } from "../../ui/kit.tsx";
import { RestrictionFields } from "./layerform.tsx";
import { MatcherFields } from "./matcherfields.tsx";
import { matchersOf, NO_MATCHERS, type MatcherDraft } from "./matchers.ts";
import { Mistakes, replaced, TeamSelect, useAnswered, without } from "./parts.tsx";

const HOUR = 3_600_000;
const LENGTHS = [[1, "1 h"], [4, "4 h"], [24, "1 day"], [168, "1 week"]] as const;
const NIGHT: Restriction = { weekdays: ["sun"], from: "02:00", to: "04:00" };
const OWN = ["matchers.title", "matchers.project", "matchers.min_priority", "matchers.max_priority", "matchers.environments", "starts_at", "ends_at", "comment"];

/** A new silence. `about` fills in what it is about, and for which team; `note` says more of that. */
export function SilenceDialog({ about, note, onClose }: { about?: { team: number; matchers: MatcherDraft }; note?: string; onClose: () => void }) {
  const zone = timeZone();
  const teams = useAnswered();
  const [chosen, setTeam] = useState(about?.team);
  const team = chosen ?? teams[0]?.id;
  const [matchers, setMatchers] = useState(about?.matchers ?? NO_MATCHERS);
  const [starts, setStarts] = useState("");
  const [ends, setEnds] = useState(() => wallOf(Date.now() + 4 * HOUR, zone));
  const [windows, setWindows] = useState<Restriction[]>([]);
  const [comment, setComment] = useState("");
  const [from, to] = [instantOf(starts, zone), instantOf(ends, zone)];
  const save = useChange(
    () => call("POST", "/silences", { body: {
      team, matchers: matchersOf(matchers), comment, ends_at: new Date(to).toISOString(),
      ...(Number.isNaN(from) ? {} : { starts_at: new Date(from).toISOString() }),
      ...(windows.length === 0 ? {} : { recurrence: { zone, windows } }),
    } }),
    { touches: ["silences"], done: "The silence is there" },
  );
  const lasts = (hours: number): void => setEnds(wallOf((Number.isNaN(from) ? Date.now() : from) + hours * HOUR, zone));
  const choose = (next: number): void => {
    setTeam(next);
    setMatchers({ ...matchers, project: null });
  };
  return (
    <Dialog title="New silence" onClose={onClose} wide>
      <Form onSubmit={() => !Number.isNaN(to) && save.mutate(undefined, { onSuccess: onClose })}>
        <p className="muted">What is opened while it holds, and is about all of this, pages nobody. What is still open at its end pages then. {note}</p>
        <TeamSelect teams={teams} value={team} onChange={choose} disabled={about !== undefined} />
        <MatcherFields of="matchers" team={team} draft={matchers} set={setMatchers} wrong={save.wrong} />
        <div className="formgrid">
          <Input label="From" type="datetime-local" value={starts} onChange={(event) => setStarts(event.target.value)} help="Empty: now" error={save.wrong("starts_at")} />
          <Input label="Until" type="datetime-local" value={ends} onChange={(event) => setEnds(event.target.value)} help={zone.replace(/_/g, " ")} error={save.wrong("ends_at")} />
        </div>
        <p className="actions" role="group" aria-label="How long">{LENGTHS.map(([hours, label]) => <Button key={hours} small onClick={() => lasts(hours)}>{label}</Button>)}</p>
        {windows.map((one, place) => <RestrictionFields key={place} restriction={one} index={place} set={(next) => setWindows(replaced(windows, place, next))} remove={() => setWindows(without(windows, place))} />)}
        <p><Button small icon="plus" onClick={() => setWindows([...windows, NIGHT])}>{windows.length === 0 ? "Only at certain hours of the week" : "Add hours"}</Button></p>
        <Input label="Why" value={comment} maxLength={1000} onChange={(event) => setComment(event.target.value)} placeholder="disks are changed" error={save.wrong("comment")} required />
        <Mistakes problem={save.problem} except={OWN} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={Number.isNaN(to) || team === undefined}>Make the silence</Button></div>
      </Form>
    </Dialog>
  );
}
