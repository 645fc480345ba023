import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router-dom";
import { getIfThere } from "../api/client.ts";
import type { Json, Release } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useTitle } from "../lib/hooks.ts";
import { neutralise } from "../lib/text.ts";
import { Facts } from "../ui/json.tsx";
import { Absent, ButtonLink, Failure, Page, Panel, Skeleton } from "../ui/kit.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

const Entries = ({ title, entries }: { title: string; entries: Json[] | undefined }) =>
  entries === undefined || entries.length === 0 ? null : (
    <Panel title={title}>
      <Facts entries={entries.map((entry, index) => [String(index + 1), entry] as const)} />
    </Panel>
  );

export default function ReleasePage() {
  const { project = "", version = "" } = useParams();
  useTitle(neutralise(version).slice(0, 80));
  const release = useQuery({ queryKey: ["release", project, version], queryFn: () => getIfThere<Release>(`/releases/${encodeURIComponent(project)}/${encodeURIComponent(version)}`) });
  if (release.isPending) return <Skeleton />;
  if (release.isError) return <Failure whole error={release.error} retry={() => void release.refetch()} />;
  if (release.data === null) return <Absent what="The page of one release" />;
  const r = release.data;
  const numbers: [string, number | undefined][] = [["Events", r.events], ["New issues", r.new_issues], ["Resolved issues", r.resolved_issues]];
  return (
    <Page title={<Untrusted limit={120}>{r.version}</Untrusted>} lead={r.project_name} actions={<ButtonLink to={`/issues?status=all&query=${encodeURIComponent(`release:"${version}"`)}`}>Issues in it</ButtonLink>}>
      <dl className="numbers">
        {numbers.map(([name, n]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{n === undefined ? "–" : full(n)}</dd>
            <dd className="note">in this release</dd>
          </div>
        ))}
      </dl>
      <Panel title="Seen">
        <p className="pad">
          First <Time at={r.first_seen ?? r.created_at} />, last <Time at={r.last_seen} />
        </p>
      </Panel>
      <Entries title="Deploys" entries={r.deploys} />
      <Entries title="Commits" entries={r.commits} />
      <Entries title="Authors" entries={r.authors} />
      <p><Link to="/releases">All releases</Link></p>
    </Page>
  );
}
