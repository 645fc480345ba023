import { useState } from "react";
import { call } from "../../api/client.ts";
import { useSilences } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Silence } from "../../api/types.ts";
import { useNow } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { moment } from "../../lib/time.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Empty, Failure, Panel, Skeleton, Tag } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Inhibitions } from "./inhibitions.tsx";
import { restrictionText } from "./layers.ts";
import { matchersText } from "./matchers.ts";
import { useAnswered } from "./parts.tsx";
import { SilenceDialog } from "./silencedialog.tsx";

function When({ silence }: { silence: Silence }) {
  const now = useNow();
  const { starts_at: starts, ends_at: ends, recurrence } = silence;
  const hours = recurrence === null ? "" : `, ${recurrence.windows.map(restrictionText).join("; ")} by the clock of ${recurrence.zone.replace(/_/g, " ")}`;
  return <>{Date.parse(starts) > now && <>from {moment(starts)} </>}until {moment(ends)}{hours}</>;
}

function Row({ silence, may }: { silence: Silence; may: boolean }) {
  const projects = useProjects().data;
  const now = useNow();
  const end = useChange(() => call("DELETE", `/silences/${silence.id}`), { touches: ["silences", "incidents", "incident"], done: "The silence is over" });
  const about = matchersText(silence.matchers, (id) => projects?.find((one) => one.id === id)?.name ?? `project ${id}`);
  return (
    <li>
      <div className="grow">
        <strong><Untrusted limit={600}>{about}</Untrusted></strong> {Date.parse(silence.starts_at) > now && <Tag>not yet</Tag>}
        <div className="muted"><When silence={silence} /></div>
        <div className="muted"><Untrusted limit={1000}>{silence.comment}</Untrusted> · <Untrusted limit={128}>{silence.created_by}</Untrusted> <Time at={silence.created_at} /></div>
      </div>
      {may && (
        <Confirm title="End the silence?" action="End it" onConfirm={() => end.mutate(undefined)} body="What it keeps silent, and is still open, pages at once.">
          {(ask) => <Button small busy={end.isPending} onClick={ask} aria-label={`End silence ${silence.id}`}>End</Button>}
        </Confirm>
      )}
    </li>
  );
}

/** Those that have not ended. */
function Held() {
  const silences = useSilences();
  const session = useSession();
  const answered = useAnswered();
  const [making, setMaking] = useState(false);
  if (silences.isPending) return <Skeleton />;
  if (silences.isError) return <Failure error={silences.error} retry={() => void silences.refetch()} />;
  if (silences.data === null) return <Panel><Absent what="Silencing" /></Panel>;
  const add = answered.length > 0 ? <Button small icon="plus" onClick={() => setMaking(true)}>New silence</Button> : null;
  return (
    <Panel title="Silences" actions={silences.data.length === 0 ? null : add}>
      {silences.data.length === 0 && <Empty icon="ignore" title="Nothing is silenced" action={add}>A silence keeps planned work quiet: what it is about opens incidents that page nobody, until it ends.</Empty>}
      <ul className="rows">
        {silences.data.map((silence) => <Row key={silence.id} silence={silence} may={accessTo(session, silence.team).triage} />)}
      </ul>
      {making && <SilenceDialog onClose={() => setMaking(false)} />}
    </Panel>
  );
}

/** What keeps incidents silent: silences, and open incidents by rules. */
export function Silences() {
  return (
    <>
      <Held />
      <Inhibitions />
    </>
  );
}
