/** How long a team's incidents have to be answered. */
import { useState } from "react";
import { call } from "../../api/client.ts";
import { useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Priority, ResponseTimes as Times, Team } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { minutes } from "../../lib/time.ts";
import { Button, Dialog, Failure, Form, IconButton, Input, Panel, Skeleton } from "../../ui/kit.tsx";
import { Cell, Row, Table, unnamed } from "../../ui/table.tsx";
import { Untrusted } from "../../ui/text.tsx";

const PRIORITIES = ["critical", "high", "medium", "low"] as const satisfies readonly Priority[];

const shown = (count: number | null | undefined): string => (count === null || count === undefined ? "none" : count === 0 ? "at once" : minutes(count));

function ChangeDialog({ team, onClose }: { team: Team; onClose: () => void }) {
  const [times, setTimes] = useState<Times>(team.response_times);
  const save = useChange(() => call("PUT", `/teams/${team.id}/response-times`, { body: times }), { touches: ["teams"], done: "The response times are saved" });
  return (
    <Dialog title={`Response times of ${neutralise(team.name)}`} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <p className="muted">Minutes until somebody has to answer. When nobody has, the next step comes then, if it would come later. Empty: no such time.</p>
        {PRIORITIES.map((priority) => (
          <Input
            key={priority} label={`Priority ${priority}`} type="number" min={0} max={43_200} value={times[priority] ?? ""} placeholder="none" error={save.wrong(priority)}
            onChange={(event) => setTimes({ ...times, [priority]: event.target.value === "" ? null : Number(event.target.value) })}
          />
        ))}
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending}>Save</Button></div>
      </Form>
    </Dialog>
  );
}

export function ResponseTimes() {
  const teams = useTeams();
  const session = useSession();
  const [changing, setChanging] = useState<Team | null>(null);
  return (
    <Panel title="Response times">
      {teams.isPending && <Skeleton rows={2} />}
      {teams.isError && <Failure error={teams.error} retry={() => void teams.refetch()} />}
      {(teams.data?.length ?? 0) > 0 && (
        <Table label="Response times" columns={["Team", ...PRIORITIES, unnamed("Change")]}>
          {teams.data?.map((team) => (
            <Row key={team.id}>
              <Cell><Untrusted limit={64}>{team.name}</Untrusted></Cell>
              {PRIORITIES.map((priority) => <Cell key={priority}>{shown(team.response_times[priority])}</Cell>)}
              <Cell>{accessTo(session, team.id).manage && <IconButton icon="edit" label={`Change the response times of ${neutralise(team.name)}`} onClick={() => setChanging(team)} />}</Cell>
            </Row>
          ))}
        </Table>
      )}
      {teams.data?.length === 0 && <p className="pad muted">You are in no team.</p>}
      {changing !== null && <ChangeDialog team={changing} onClose={() => setChanging(null)} />}
    </Panel>
  );
}
