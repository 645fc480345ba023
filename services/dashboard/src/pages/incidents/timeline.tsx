import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useNames, usePages, useTimeline } from "../../api/oncall.ts";
import type { Incident, Page as Sent, TimelineEntry } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { absolute, clock, moment } from "../../lib/time.ts";
import { Button, Failure, Field, Form, Panel, Skeleton } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { tell } from "./words.ts";

const dayOf = (iso: string): string => moment(iso).replace(/,.*/, "");

function Entry({ entry, newDay }: { entry: TimelineEntry; newDay: boolean }) {
  const { tone, text, more, incident } = tell(entry, moment);
  return (
    <li className={`told ${tone}`}>
      <time dateTime={entry.at} title={absolute(entry.at)}>
        {newDay && <span className="tolddate">{dayOf(entry.at)}</span>}
        {clock(entry.at)}
      </time>
      <div>
        <Untrusted limit={600}>{text}</Untrusted>
        {incident !== undefined && <> <Link to={`/incidents/${incident}`}>#{incident}</Link></>}
        {more !== undefined && more !== "" && (entry.event === "note" ? <blockquote className="comment"><Untrusted limit={10_000}>{more}</Untrusted></blockquote> : <div className="muted"><Untrusted limit={600}>{more}</Untrusted></div>)}
      </div>
    </li>
  );
}

function Note({ incident }: { incident: Incident }) {
  const [text, setText] = useState("");
  const add = useChange(() => call("POST", `/incidents/${incident.id}/notes`, { body: { text } }), { touches: ["incident"] });
  return (
    <Form className="commentform" onSubmit={() => text.trim() !== "" && add.mutate(undefined, { onSuccess: () => setText("") })}>
      <Field label="Note" error={add.wrong("text")}>
        {(ids) => <textarea {...ids} rows={2} value={text} maxLength={10_000} onChange={(event) => setText(event.target.value)} placeholder="What was seen, what was done" />}
      </Field>
      <Button type="submit" busy={add.isPending} disabled={text.trim() === ""}>Add the note</Button>
    </Form>
  );
}

/** What happened to an incident, the first first. */
export function Timeline({ incident, may }: { incident: Incident; may: boolean }) {
  const timeline = useTimeline(String(incident.id));
  const entries = timeline.data ?? [];
  return (
    <Panel title="Timeline">
      {timeline.isPending && <Skeleton rows={4} />}
      {timeline.isError && <Failure error={timeline.error} retry={() => void timeline.refetch()} />}
      <ol className="story">
        {entries.map((entry, index) => {
          const before = entries[index - 1];
          return <Entry key={entry.id} entry={entry} newDay={before === undefined || dayOf(before.at) !== dayOf(entry.at)} />;
        })}
      </ol>
      {may && <Note incident={incident} />}
    </Panel>
  );
}

const stepName = ({ step }: Sent): string => (step === -1 ? "given to them" : step === -2 ? "asked to help" : step === 0 ? "fallback" : `step ${step}`);

/** Who was paged by what, and how it went. */
export function Pages({ incident }: { incident: Incident }) {
  const pages = usePages(String(incident.id));
  const name = useNames();
  return (
    <Panel title="Pages">
      {pages.isPending && <Skeleton rows={2} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.data?.length === 0 && <p className="pad muted">Nobody was paged yet.</p>}
      {(pages.data?.length ?? 0) > 0 && (
        <Table label="Pages" columns={["Whom", "By", "Why", "Due", "How it went"]}>
          {pages.data?.map((page) => (
            <Row key={page.id}>
              <Cell><Untrusted limit={60}>{page.user !== null ? name(page.user) : page.destination === null ? "an account that is gone" : "a destination"}</Untrusted></Cell>
              <Cell>{page.channel}</Cell>
              <Cell>{stepName(page)}</Cell>
              <Cell><Time at={page.due_at} /></Cell>
              <Cell className="wide">
                <span className={`tag state ${page.state}`}>{page.state}</span>
                {page.attempts > 1 && <span className="muted"> {page.attempts} attempts</span>}
                {page.finished_at !== null && <span className="muted"> <Time at={page.finished_at} /></span>}
                {page.error !== null && <div className="muted"><Untrusted limit={300}>{page.error}</Untrusted></div>}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Panel>
  );
}
