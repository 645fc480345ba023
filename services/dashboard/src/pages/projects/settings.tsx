import { useState } from "react";
import { call } from "../../api/client.ts";
import type { Project, Settings } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Field, Form, Input, Panel, Select } from "../../ui/kit.tsx";

export interface Props { project: Project; manage: boolean }

/** A part of the settings in the making. The server gets the whole, as one change. */
export function useSettings(project: Project) {
  const [settings, set] = useState<Settings>(project.settings);
  const save = useChange(() => call("PATCH", `/projects/${project.id}`, { body: { settings } }), { touches: ["projects"], done: "Saved" });
  const wrong = (name: string): string | undefined => save.wrong(`settings.${name}`) ?? save.wrong(name);
  return { settings, set, save, wrong };
}

const lines = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

function Lines({ label, help, values, onChange, error, disabled }: { label: string; help: string; values: string[]; onChange: (values: string[]) => void; error: string | undefined; disabled: boolean }) {
  const [text, setText] = useState(values.join("\n"));
  return (
    <Field label={label} help={help} error={error}>
      {(ids) => (
        <textarea
          {...ids} className="mono" rows={Math.min(8, Math.max(2, values.length + 1))} value={text} disabled={disabled} spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
            onChange(lines(event.target.value));
          }}
        />
      )}
    </Field>
  );
}

export const Save = ({ manage, busy }: { manage: boolean; busy: boolean }) => (manage ? <Button type="submit" look="primary" busy={busy}>Save</Button> : <p className="muted">Only managers of the team can change this.</p>);

export function Filters({ project, manage }: Props) {
  const { settings, set, save, wrong } = useSettings(project);
  const f = settings.filters;
  const change = (part: Partial<Settings["filters"]>): void => set({ ...settings, filters: { ...f, ...part } });
  const all = { disabled: !manage };
  return (
    <Panel title="What is dropped before it is stored">
      <Form className="formbody" onSubmit={() => save.mutate(undefined)}>
        <p className="muted">One pattern a line; <code>*</code> is anything, case does not matter. What is dropped is counted as filtered.</p>
        <div className="formgrid">
          <Lines label="Messages" help="Type: value of the exception, or the message" values={f.messages} onChange={(messages) => change({ messages })} error={wrong("filters.messages")} {...all} />
          <Lines label="Exception types" help="As in ChunkLoadError" values={f.exception_types} onChange={(exception_types) => change({ exception_types })} error={wrong("filters.exception_types")} {...all} />
          <Lines label="Releases" help="As in shop@1.*" values={f.releases} onChange={(releases) => change({ releases })} error={wrong("filters.releases")} {...all} />
          <Lines label="Environments" help="As in dev*" values={f.environments} onChange={(environments) => change({ environments })} error={wrong("filters.environments")} {...all} />
          <Lines label="Addresses" help="Networks that are turned away, as in 203.0.113.0/24" values={f.addresses} onChange={(addresses) => change({ addresses })} error={wrong("filters.addresses")} {...all} />
          <div>
            <Check label="Browser extensions" help="Errors that come from them" checked={f.browser_extensions} onChange={(event) => change({ browser_extensions: event.target.checked })} {...all} />
            <Check label="Crawlers" help="By their user agent" checked={f.crawlers} onChange={(event) => change({ crawlers: event.target.checked })} {...all} />
          </div>
        </div>
        <Save manage={manage} busy={save.isPending} />
      </Form>
    </Panel>
  );
}

export function Scrubbing({ project, manage }: Props) {
  const { settings, set, save, wrong } = useSettings(project);
  const s = settings.scrub;
  const change = (part: Partial<Settings["scrub"]>): void => set({ ...settings, scrub: { ...s, ...part } });
  return (
    <Panel title="What is removed from events">
      <Form className="formbody" onSubmit={() => save.mutate(undefined)}>
        <Check label="Remove secrets" help="Passwords, tokens, keys, card numbers and the like, before anything is stored" checked={s.enabled} disabled={!manage} onChange={(event) => change({ enabled: event.target.checked })} />
        <Check label="Remove client addresses too" checked={s.addresses} disabled={!manage} onChange={(event) => change({ addresses: event.target.checked })} />
        <div className="formgrid">
          <Lines label="Further fields" help="A name, or a part of one, a line" values={s.fields} onChange={(fields) => change({ fields })} error={wrong("scrub.fields")} disabled={!manage} />
          <Lines label="Never remove" help="Whole names" values={s.keep} onChange={(keep) => change({ keep })} error={wrong("scrub.keep")} disabled={!manage} />
        </div>
        <Save manage={manage} busy={save.isPending} />
      </Form>
    </Panel>
  );
}

const DAYS = [7, 30, 90, 365].map((days) => [String(days), `${days} days`] as const);
const number = (text: string): number | null => (text.trim() === "" ? null : Number(text));

export function Retention({ project, manage }: Props) {
  const { settings, set, save, wrong } = useSettings(project);
  const q = settings.quota;
  return (
    <Panel title="How long and how much">
      <Form className="formbody" onSubmit={() => save.mutate(undefined)}>
        <div className="formgrid">
          <Select label="Keep errors for" value={String(settings.retention)} options={DAYS} disabled={!manage} error={wrong("retention")} onChange={(event) => set({ ...settings, retention: Number(event.target.value) })} />
          <Select label="Keep warnings and below for" value={String(settings.retention_low)} options={DAYS} disabled={!manage} error={wrong("retention_low")} onChange={(event) => set({ ...settings, retention_low: Number(event.target.value) })} />
          <Input label="Events a minute at most" type="number" min={1} value={q.per_minute ?? ""} placeholder="no limit" disabled={!manage} error={wrong("quota.per_minute")} onChange={(event) => set({ ...settings, quota: { ...q, per_minute: number(event.target.value) } })} />
          <Input label="Events an hour at most" type="number" min={1} value={q.per_hour ?? ""} placeholder="no limit" disabled={!manage} error={wrong("quota.per_hour")} onChange={(event) => set({ ...settings, quota: { ...q, per_hour: number(event.target.value) } })} />
        </div>
        <Save manage={manage} busy={save.isPending} />
      </Form>
    </Panel>
  );
}
