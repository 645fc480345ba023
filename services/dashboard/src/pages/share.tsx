import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router-dom";
import { get, Problem } from "../api/client.ts";
import type { Exception, Frame, Shared } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useTitle } from "../lib/hooks.ts";
import { splitTitle } from "../lib/text.ts";
import { Empty, Failure, LevelBadge, Skeleton } from "../ui/kit.tsx";
import { Time, Untrusted } from "../ui/text.tsx";
import { Brand } from "../shell/brand.tsx";
import { Chain } from "./issue/stack.tsx";

/** Without what is null, which the parts of a stack do not know. */
const given = (frame: object): Frame => Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== null));

/** An issue for whoever has its link: no account, no people, nothing to do. */
export default function Share() {
  const { token = "" } = useParams();
  const shared = useQuery({ queryKey: ["shared", token], queryFn: ({ signal }) => get<Shared>(`/shared/${encodeURIComponent(token)}`, { signal, atDoor: true }) });
  useTitle(shared.data?.short_id ?? "Shared issue");
  const issue = shared.data;
  if (shared.isPending) return <main className="shared"><Skeleton rows={6} /></main>;
  if (issue === undefined) {
    const gone = shared.error instanceof Problem && shared.error.absent;
    return <main className="shared">{gone ? <Empty whole icon="warning" title="This link works no more">It was revoked, or the issue is gone.</Empty> : <Failure whole error={shared.error} retry={() => void shared.refetch()} />}</main>;
  }
  const [type, message] = splitTitle(issue.title, issue.error_type);
  const exceptions: Exception[] = (issue.event?.exceptions ?? []).map(({ type: name, value, frames }) => ({ ...(name === null ? {} : { type: name }), ...(value === null ? {} : { value }), stacktrace: { frames: frames.map(given) } }));
  return (
    <main className="shared">
      <Brand />
      <header className="issuehead">
        <p className="trail"><span className="shortid">{issue.short_id}</span></p>
        <h1><Untrusted limit={200}>{type}</Untrusted></h1>
        {message !== "" && <p className="headmessage"><Untrusted limit={2_000}>{message}</Untrusted></p>}
        <div className="rowmeta">
          <LevelBadge level={issue.level} />
          <span>{full(issue.count)} events</span>
          <span>first <Time at={issue.first_seen} /></span>
          <span>last <Time at={issue.last_seen} /></span>
          {issue.culprit !== null && <span className="culprit"><Untrusted limit={200}>{issue.culprit}</Untrusted></span>}
        </div>
      </header>
      {exceptions.length > 0 && <Chain exceptions={exceptions} />}
    </main>
  );
}
