import { call } from "../../api/client.ts";
import type { Issue, Priority, Status } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { useToast } from "../../ui/toasts.tsx";

export interface Change { status?: Status; priority?: Priority; assigned_to?: string | null }

const AT_ONCE = 4;

/** Changes several issues, a few at a time, and answers how many could not be. */
async function apply(issues: Issue[], change: Change): Promise<number> {
  const waiting = [...issues];
  let failed = 0;
  let reason: unknown = null;
  const work = async (): Promise<void> => {
    for (let issue = waiting.shift(); issue !== undefined; issue = waiting.shift()) {
      try {
        await call("PATCH", `/issues/${issue.id}`, { body: change });
      } catch (error) {
        failed += 1;
        reason = error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failed === issues.length && reason instanceof Error) throw reason;
  return failed;
}

const WORDS: Record<Status, string> = { resolved: "Resolved", ignored: "Ignored", unresolved: "Reopened" };

function say(change: Change, issues: Issue[]): string {
  const what = issues.length === 1 ? (issues[0]?.short_id ?? "") : plural(issues.length, "issue");
  if (change.status !== undefined) return `${WORDS[change.status]} ${what}`;
  if (change.priority !== undefined) return `${what}: priority is now ${change.priority}`;
  return change.assigned_to === null ? `${what} belongs to nobody now` : `Assigned ${what} to ${change.assigned_to ?? ""}`;
}

export function useTriage() {
  const toast = useToast();
  return useChange(
    async ({ issues, change }: { issues: Issue[]; change: Change }) => {
      const failed = await apply(issues, change);
      if (failed > 0) toast.error(`${plural(failed, "issue")} of ${issues.length} could not be changed`);
      else toast.done(say(change, issues));
    },
    { touches: ["issues", "issue", "issue-part", "stats"] },
  );
}
