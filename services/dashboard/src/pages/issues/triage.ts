import { call, Problem } from "../../api/client.ts";
import type { IgnoreUntil, Issue, Priority, ResolvedIn, Status } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { absolute } from "../../lib/time.ts";
import { useToast } from "../../ui/toasts.tsx";

/** An account, a team, any name, or nobody. */
export type Assignee = { user: number } | { team: number } | string | null;
export interface Change { status?: Status; priority?: Priority; assigned_to?: Assignee; ignore_until?: IgnoreUntil; resolved_in?: ResolvedIn }

const AT_ONCE = 4;

/** Changes issues, and answers how many could not be: at once where the server can, else a few at a time. */
async function apply(issues: Issue[], change: Change): Promise<number> {
  if (issues.length < 2 || change.resolved_in !== undefined) return oneByOne(issues, change);
  try {
    await call("POST", "/issues/bulk", { body: { ids: issues.map((issue) => issue.id), ...change } });
    return 0;
  } catch (error) {
    if (error instanceof Problem && error.absent) return oneByOne(issues, change);
    throw error;
  }
}

async function oneByOne(issues: Issue[], change: Change): Promise<number> {
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

function until(condition: IgnoreUntil | undefined): string {
  if (condition === undefined) return "";
  if ("events" in condition) return ` until ${plural(condition.events, "more event")}`;
  if ("users" in condition) return ` until ${plural(condition.users, "more user")}`;
  return "time" in condition ? ` until ${absolute(condition.time)}` : " until it escalates";
}

const inRelease = (resolved: ResolvedIn | undefined): string => (resolved === "next" ? " in the next release" : typeof resolved === "object" && "release" in resolved ? ` in ${neutralise(resolved.release)}` : "");

function say(change: Change, issues: Issue[]): string {
  const what = issues.length === 1 ? (issues[0]?.short_id ?? "") : plural(issues.length, "issue");
  if (change.status !== undefined) return `${WORDS[change.status]} ${what}${until(change.ignore_until)}${inRelease(change.resolved_in)}`;
  if (change.priority !== undefined) return `${what}: priority is now ${change.priority}`;
  if (change.assigned_to === null) return `${what} belongs to nobody now`;
  return typeof change.assigned_to === "string" ? `Assigned ${what} to ${change.assigned_to}` : `Assigned ${what}`;
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

export interface Everything { query: string; project: string | null }
/** What is done to many at once only. */
export type Whole = { merge: true } | { delete: true; discard?: true };

/** What a search finds, all of it: also what is not on the page. */
export function useBulk() {
  const toast = useToast();
  return useChange(
    async ({ on, change }: { on: Everything | Issue[]; change: Change | Whole }) => {
      const which = Array.isArray(on) ? { ids: on.map((issue) => issue.id) } : { query: on.query, ...(on.project === null ? {} : { project: on.project }) };
      const { changed, more } = await call<{ matched: number; changed: number; more: boolean }>("POST", "/issues/bulk", { body: { ...which, ...change } });
      // Only what leaves the search makes room for the rest.
      const rest = "delete" in change || "status" in change ? "; there are more, do it again" : ": the latest that the search finds, there are more";
      toast.done(`${plural(changed, "issue")} changed${more ? rest : ""}`);
    },
    { touches: ["issues", "issue", "issue-part", "stats"] },
  );
}
