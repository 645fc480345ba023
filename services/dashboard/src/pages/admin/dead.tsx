import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call, get } from "../../api/client.ts";
import type { DeadLetter, List } from "../../api/types.ts";
import { bytes } from "../../lib/format.ts";
import { useFilter } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Dialog, Empty, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Value } from "../../ui/json.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

const QUEUES = ["bugle.intake", "bugle.intake.backlog", "bugle.notifier.signals"] as const;

/** Messages that could not be handled, kept for seven days. */
export function DeadLetters() {
  const [chosen, choose] = useFilter("queue");
  const queue = QUEUES.find((q) => q === chosen) ?? QUEUES[0];
  const letters = useQuery({ queryKey: ["dead", queue], queryFn: ({ signal }) => get<List<DeadLetter>>("/admin/dead-letters", { params: { queue, limit: 50 }, signal }) });
  const [discarding, setDiscarding] = useState<string[] | null>(null);
  const redrive = useChange((ids: string[]) => call("POST", "/admin/dead-letters/redrive", { body: { queue, ids } }), { touches: ["dead"], done: "They are tried again" });
  const discard = useChange((ids: string[]) => call("POST", "/admin/dead-letters/discard", { body: { queue, ids } }), { touches: ["dead"], done: "They are gone" });
  const items = letters.data?.items ?? [];
  const ids = items.map((letter) => letter.id);
  return (
    <Panel
      title="Dead letters"
      actions={
        <div className="actions">
          <select aria-label="Queue" value={queue} onChange={(event) => choose(event.target.value)}>
            {QUEUES.map((q) => <option key={q}>{q}</option>)}
          </select>
          {ids.length > 0 && <Button small onClick={() => redrive.mutate(ids)} busy={redrive.isPending}>Try all again</Button>}
          {ids.length > 0 && <Button small look="danger" onClick={() => setDiscarding(ids)}>Discard all</Button>}
        </div>
      }
    >
      {letters.isPending && <Skeleton rows={3} />}
      {letters.isError && <Failure error={letters.error} retry={() => void letters.refetch()} />}
      {letters.isSuccess && items.length === 0 && <Empty icon="check" title="Nothing here">Messages that can never be handled would be put aside here, with the reason.</Empty>}
      <ul className="rows">
        {items.map((letter) => (
          <li key={letter.id} className="column">
            <div className="grow">
              <strong><Untrusted limit={400}>{letter.reason}</Untrusted></strong>
              <div><small className="muted">{bytes(letter.size)} · {letter.attempts} attempts · put aside <Time at={letter.rejected_at} /></small></div>
              <Value value={letter.content} />
            </div>
            <div className="actions">
              <Button small onClick={() => redrive.mutate([letter.id])}>Try again</Button>
              <Button small look="danger" onClick={() => setDiscarding([letter.id])}>Discard</Button>
            </div>
          </li>
        ))}
      </ul>
      {discarding !== null && (
        <Dialog title="Discard for ever?" onClose={() => setDiscarding(null)}>
          <p>What is in {discarding.length === 1 ? "this message" : `these ${discarding.length} messages`} is lost.</p>
          <div className="dialogactions">
            <Button look="danger" onClick={() => { discard.mutate(discarding); setDiscarding(null); }}>Discard</Button>
          </div>
        </Dialog>
      )}
    </Panel>
  );
}
