import { useState } from "react";
import { call } from "../../api/client.ts";
import { useTeams } from "../../api/queries.ts";
import type { NewProject as Created } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, ButtonLink, Form, Input, Page, Panel, Select } from "../../ui/kit.tsx";
import { Guide } from "./guide.tsx";

export default function NewProject() {
  useTitle("New project");
  const teams = useTeams().data;
  const [name, setName] = useState("");
  const [team, setTeam] = useState("");
  const chosen = team === "" ? teams?.[0]?.id : Number(team);
  const create = useChange(() => call<Created>("POST", "/projects", { body: { name: name.trim(), ...(chosen === undefined ? {} : { team: chosen }) } }), { touches: ["projects"] });
  if (create.data !== undefined) {
    return (
      <Page title={create.data.name} lead="Copy, paste, run. The rest can wait." actions={<ButtonLink to={`/projects/${create.data.id}`}>Project settings</ButtonLink>}>
        <Guide dsn={create.data.dsn} project={create.data.id} />
      </Page>
    );
  }
  return (
    <Page title="New project" lead="One app or service. Its issues get short names after it.">
      <Panel>
        <Form className="formbody narrow" onSubmit={() => create.mutate(undefined)}>
          <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} maxLength={64} placeholder="checkout-api" error={create.wrong("name") ?? (create.problem?.status === 409 ? "There is a project with this name." : undefined)} required autoFocus autoComplete="off" />
          {(teams?.length ?? 0) > 0 && <Select label="Team" value={String(chosen ?? "")} onChange={(event) => setTeam(event.target.value)} error={create.wrong("team")} options={(teams ?? []).map((t) => [String(t.id), t.name] as const)} />}
          <Button type="submit" look="primary" busy={create.isPending} disabled={name.trim() === ""}>
            Create
          </Button>
        </Form>
      </Panel>
    </Page>
  );
}
