import { useState } from "react";
import { call } from "../../api/client.ts";
import { useAlertSources, usePolicies } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { AlertSource } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Dialog, Empty, Failure, IconButton, Panel, Skeleton } from "../../ui/kit.tsx";
import { Code, Time, Untrusted } from "../../ui/text.tsx";
import { useManaged } from "./parts.tsx";
import { kindName, receiver } from "./receivers.ts";
import { SourceDialog } from "./sourcedialog.tsx";

/** What a tool needs. The key is known at this moment only. */
function KeyDialog({ source, onClose }: { source: AlertSource; onClose: () => void }) {
  return (
    <Dialog title={`Set up ${neutralise(source.name)}`} onClose={onClose} wide>
      <p role="status"><strong>The key is shown this once.</strong> It lets a tool open and end incidents of this source, and nothing else.</p>
      {source.key !== undefined && <Code text={source.key} label="Key" />}
      {receiver(source).map(({ title, code }) => (
        <section key={title}>
          <h3>{title}</h3>
          <Code text={code} label={title} />
        </section>
      ))}
      <div className="dialogactions"><Button look="primary" onClick={onClose}>Done</Button></div>
    </Dialog>
  );
}

function Heard({ source }: { source: AlertSource }) {
  return (
    <div className="muted">
      {source.last_alert_at === null ? "Has told nothing yet" : <>Last told something <Time at={source.last_alert_at} /></>}
      {source.last_error !== null && <span className="bad"> · refused <Time at={source.last_error_at} />: <Untrusted limit={300}>{source.last_error}</Untrusted></span>}
    </div>
  );
}

function Row({ source, manage, edit, show }: { source: AlertSource; manage: boolean; edit: () => void; show: (source: AlertSource) => void }) {
  const policy = usePolicies().data?.find((one) => one.id === source.policy)?.name ?? `policy ${source.policy}`;
  const project = useProjects().data?.find((one) => one.id === source.project)?.name;
  const path = `/alert-sources/${source.id}`;
  const name = neutralise(source.name);
  const rotate = useChange(() => call<AlertSource>("POST", `${path}/rotate`), { touches: ["alert-sources"] });
  const remove = useChange(() => call("DELETE", path), { touches: ["alert-sources"], done: "The alert source is removed" });
  const about = source.project === null ? "the team" : (project ?? `project ${source.project}`);
  return (
    <li>
      <div className="grow">
        <strong><Untrusted limit={64}>{source.name}</Untrusted></strong> <span className="tag">{source.kind}</span>
        <div className="muted">About {about}, {source.default_priority} unless it says otherwise → <Untrusted limit={64}>{policy}</Untrusted></div>
        <Heard source={source} />
      </div>
      {manage && (
        <>
          <Confirm title={`Give ${name} another key?`} action="Rotate" onConfirm={() => rotate.mutate(undefined, { onSuccess: show })} body="The key that the tool has now is over at once. The new one is shown once.">
            {(ask) => <Button small busy={rotate.isPending} onClick={ask} aria-label={`Rotate the key of ${name}`}>Rotate</Button>}
          </Confirm>
          <IconButton icon="edit" label={`Edit ${name}`} onClick={edit} />
          <Confirm title={`Remove ${name}?`} action="Remove" onConfirm={() => remove.mutate(undefined)} body="What it tells from now on is refused. Incidents that it opened go on, and people end them.">
            {(ask) => <IconButton icon="trash" label={`Remove ${name}`} onClick={ask} />}
          </Confirm>
        </>
      )}
    </li>
  );
}

/** The tools whose alerts open incidents. */
export function Sources() {
  const sources = useAlertSources();
  const policies = usePolicies();
  const session = useSession();
  const managed = useManaged();
  const [editing, setEditing] = useState<AlertSource | "new" | null>(null);
  const [made, setMade] = useState<AlertSource | null>(null);
  if (sources.isPending) return <Skeleton />;
  if (sources.isError) return <Failure error={sources.error} retry={() => void sources.refetch()} />;
  if (sources.data === null) return <Panel><Absent what="Taking alerts of other tools" /></Panel>;
  const some = policies.data?.some((policy) => managed.some((team) => team.id === policy.team)) === true;
  const add = managed.length > 0 ? <Button small icon="plus" disabled={!some} onClick={() => setEditing("new")}>New alert source</Button> : null;
  return (
    <>
      <Panel title="Alert sources" actions={sources.data.length === 0 ? null : add}>
        {sources.data.length === 0 && (
          <Empty icon="oncall" title="No alert sources yet" action={add}>
            {some || managed.length === 0 ? `${kindName("alertmanager")}, and whatever can send JSON: their alerts open incidents, by the same policies.` : "Make an escalation policy first: a source leads to one."}
          </Empty>
        )}
        <ul className="rows">
          {sources.data.map((source) => <Row key={source.id} source={source} manage={accessTo(session, source.team).manage} edit={() => setEditing(source)} show={setMade} />)}
        </ul>
      </Panel>
      {editing !== null && <SourceDialog source={editing === "new" ? null : editing} onClose={() => setEditing(null)} onMade={setMade} />}
      {made !== null && <KeyDialog source={made} onClose={() => setMade(null)} />}
    </>
  );
}
