import { useRef } from "react";
import { Field, Form, Panel } from "../../ui/kit.tsx";
import { Save, useSettings, type Props } from "./settings.tsx";
import { TryRules } from "./tryrules.tsx";

/** The server counts characters, the browser halves of some. */
const unitsBefore = (text: string, characters: number): number => Array.from(text).slice(0, characters).join("").length;

export function Grouping({ project, manage }: Props) {
  const { settings, set, save, wrong } = useSettings(project);
  const editor = useRef<HTMLTextAreaElement>(null);
  const rules = settings.grouping_rules;
  const show = (position: number): void => {
    const at = unitsBefore(rules, position);
    const end = rules.indexOf("\n", at);
    editor.current?.focus();
    editor.current?.setSelectionRange(at, end === -1 ? rules.length : end);
  };
  return (
    <>
      <Panel title="Grouping rules">
        <Form className="formbody" onSubmit={() => save.mutate(undefined)}>
          <Field label="Rules" error={wrong("grouping_rules")} help="One rule a line, the first that fits counts. They hold for new events.">
            {(ids) => <textarea {...ids} ref={editor} className="mono" rows={12} value={rules} readOnly={!manage} spellCheck={false} placeholder='type:ConnectionError message:"timeout *" -> database-timeout' onChange={(event) => set({ ...settings, grouping_rules: event.target.value })} />}
          </Field>
          <Save manage={manage} busy={save.isPending} />
        </Form>
      </Panel>
      <TryRules project={project} rules={rules} show={show} />
    </>
  );
}
