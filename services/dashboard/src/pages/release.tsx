import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router-dom";
import { getIfThere } from "../api/client.ts";
import type { Json, Release } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useTitle } from "../lib/hooks.ts";
import { neutralise } from "../lib/text.ts";
import { Absent, ButtonLink, Failure, Page, Panel, Skeleton } from "../ui/kit.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

const text = (entry: Json, ...names: string[]): string => {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "";
  const found = names.map((name) => entry[name]).find((value) => typeof value === "string" && value !== "");
  return typeof found === "string" ? found : "";
};

/** Commits, deploys and authors come from the app's own tools: what is known of them is shown, whatever else they hold. */
const Entries = ({ title, entries }: { title: string; entries: Json[] | undefined }) =>
  entries === undefined || entries.length === 0 ? null : (
    <Panel title={`${title} (${entries.length})`}>
      <ul className="rows">
        {entries.slice(0, 200).map((entry, index) => {
          const at = text(entry, "finished_at", "deployed_at", "timestamp", "created_at");
          return (
            <li key={index}>
              {text(entry, "id", "sha") !== "" && <code className="muted"><Untrusted limit={10}>{text(entry, "id", "sha").slice(0, 10)}</Untrusted></code>}
              <span className="grow"><Untrusted limit={300}>{typeof entry === "string" ? entry : text(entry, "message", "environment", "name", "email")}</Untrusted></span>
              <span className="muted"><Untrusted limit={100}>{text(entry, "author", "author_name", "author_email")}</Untrusted></span>
              {at !== "" && <Time at={at} />}
            </li>
          );
        })}
      </ul>
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
