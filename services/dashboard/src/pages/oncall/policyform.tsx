import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";
import { call } from "../../api/client.ts";
import { usePolicy } from "../../api/oncall.ts";
import type { Policy, PolicyContent, PolicyStep } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, ButtonLink, Failure, Form, Input, Page, Panel, Skeleton } from "../../ui/kit.tsx";
import { ForManagers, Mistakes, moved, replaced, TeamSelect, useManaged, without } from "./parts.tsx";
import { Step, Targets } from "./stepform.tsx";

const NEW_STEP: PolicyStep = { targets: [], delay_minutes: 10 };

function Editor({ policy }: { policy: Policy | null }) {
  const navigate = useNavigate();
  const managed = useManaged();
  const [name, setName] = useState(policy?.name ?? "");
  const [chosenTeam, setTeam] = useState(policy?.team);
  const [content, setContent] = useState<PolicyContent>(policy?.content ?? { steps: [NEW_STEP], repeat: 1, fallback: [] });
  const team = chosenTeam ?? managed[0]?.id;
  const set = (part: Partial<PolicyContent>): void => setContent({ ...content, ...part });
  const { steps } = content;
  const save = useChange(() => call(policy === null ? "POST" : "PUT", policy === null ? "/escalation-policies" : `/escalation-policies/${policy.id}`, { body: { name: name.trim(), team, content } }), { touches: ["policies"], done: "Saved" });
  const timeout = content.acknowledgement_timeout_minutes;
  return (
    <Form className="longform" onSubmit={() => save.mutate(undefined, { onSuccess: () => navigate("/on-call?tab=policies") })}>
      <Panel>
        <div className="formbody">
          <div className="formgrid">
            <Input label="Name" value={name} maxLength={64} onChange={(event) => setName(event.target.value)} error={save.wrong("name")} />
            <TeamSelect teams={managed} value={team} disabled={policy !== null} onChange={setTeam} />
          </div>
        </div>
      </Panel>
      <Panel title="Steps" actions={<Button small icon="plus" disabled={steps.length >= 20} onClick={() => set({ steps: [...steps, NEW_STEP] })}>Add a step</Button>}>
        <div className="formbody">
          {steps.map((step, index) => (
            <Step
              key={index} step={step} index={index} count={steps.length} team={team} set={(next) => set({ steps: replaced(steps, index, next) })}
              move={(by) => set({ steps: moved(steps, index, by) })} remove={() => set({ steps: without(steps, index) })}
            />
          ))}
        </div>
      </Panel>
      <Panel title="When nobody answers, and when somebody does">
        <div className="formbody">
          <div className="formgrid">
            <Input label="Begin again so many times" type="number" min={0} max={9} value={content.repeat ?? 0} onChange={(event) => set({ repeat: Number(event.target.value) })} help="After the last step; 0 to 9" />
            <Input
              label="Acknowledgement timeout (minutes)" type="number" min={1} max={9000} value={timeout ?? ""} placeholder="never" help="Then the policy begins again at step 1"
              onChange={(event) => set({ acknowledgement_timeout_minutes: event.target.value === "" ? null : Number(event.target.value) })}
            />
          </div>
          <Targets label="Whom to page when no step has anybody" team={team} targets={content.fallback ?? []} onChange={(fallback) => set({ fallback })} />
          <p className="muted">Without them it is the managers of the project's team.</p>
        </div>
      </Panel>
      <Mistakes problem={save.problem} except={["name"]} />
      <div className="dialogactions">
        <ButtonLink to="/on-call?tab=policies">Leave it</ButtonLink>
        <Button type="submit" look="primary" busy={save.isPending}>{policy === null ? "Create the policy" : "Save as a new version"}</Button>
      </div>
    </Form>
  );
}

export default function PolicyForm() {
  const { id } = useParams();
  useTitle(id === undefined ? "New escalation policy" : "Edit the escalation policy");
  if (id !== undefined) return <Existing id={id} />;
  return <ForManagers title="New escalation policy"><Editor policy={null} /></ForManagers>;
}

function Existing({ id }: { id: string }) {
  const policy = usePolicy(id);
  if (policy.isPending) return <Skeleton />;
  if (policy.data === undefined) return <Failure whole error={policy.error} />;
  return <Page title="Edit the escalation policy" lead="Open incidents keep the version that they began with."><Editor policy={policy.data} /></Page>;
}
