import { Link } from "react-router-dom";
import { useIssues, useProjects, useReleases } from "../api/queries.ts";
import type { Release } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useFilter, useTitle } from "../lib/hooks.ts";
import { Empty, Failure, Page, Skeleton, Table } from "../ui/kit.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

const number = (n: number | undefined): string => (n === undefined ? "–" : full(n));

/** On servers without releases: those that unresolved issues were first seen in. */
function Known({ project }: { project: string | null }) {
  const { issues, pages } = useIssues({ project, status: "all", query: "", sort: null });
  const found = new Map<string, { version: string; project: string; first: string; issues: number }>();
  for (const issue of issues) {
    if (issue.first_release === null) continue;
    const key = `${issue.project} ${issue.first_release}`;
    const known = found.get(key);
    found.set(key, { version: issue.first_release, project: issue.project_name, first: known !== undefined && known.first < issue.first_seen ? known.first : issue.first_seen, issues: (known?.issues ?? 0) + 1 });
  }
  if (pages.isPending) return <Skeleton />;
  if (found.size === 0) return <Empty icon="releases" title="No releases yet">Set <code>release</code> in the SDK, and they appear here.</Empty>;
  return (
    <>
      <p className="hint">Told from the latest issues. This server does not keep releases of their own yet.</p>
      <Table label="Releases">
        <thead>
          <tr>
            <th scope="col">Release</th>
            <th scope="col">Project</th>
            <th scope="col">First issue</th>
            <th scope="col" className="right">New issues</th>
          </tr>
        </thead>
        <tbody>
          {[...found.values()].sort((a, b) => b.first.localeCompare(a.first)).map((r) => (
            <tr key={`${r.project} ${r.version}`}>
              <td><strong><Untrusted limit={100}>{r.version}</Untrusted></strong></td>
              <td>{r.project}</td>
              <td><Time at={r.first} /></td>
              <td className="right">{r.issues}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </>
  );
}

function Row({ release, name }: { release: Release; name: string }) {
  return (
    <tr>
      <td>
        <Link to={`/releases/${release.project}/${encodeURIComponent(release.version)}`}><strong><Untrusted limit={100}>{release.version}</Untrusted></strong></Link>
      </td>
      <td>{name}</td>
      <td><Time at={release.first_seen ?? release.created_at} /></td>
      <td><Time at={release.last_seen} /></td>
      <td className="right">{number(release.events)}</td>
      <td className="right">{number(release.new_issues)}</td>
      <td className="right">{number(release.resolved_issues)}</td>
    </tr>
  );
}

export default function Releases() {
  useTitle("Releases");
  const [project] = useFilter("project");
  const releases = useReleases(project);
  const projects = useProjects().data;
  const nameOf = (release: Release): string => release.project_name ?? projects?.find((p) => p.id === release.project)?.name ?? String(release.project);
  return (
    <Page title="Releases" lead={project ?? "All projects"}>
      {releases.isPending && <Skeleton />}
      {releases.isError && <Failure error={releases.error} retry={() => void releases.refetch()} />}
      {releases.data === null && <Known project={project} />}
      {releases.data?.items.length === 0 && <Empty icon="releases" title="No releases yet">Set <code>release</code> in the SDK, or call <code>sentry-cli releases new</code>.</Empty>}
      {(releases.data?.items.length ?? 0) > 0 && (
        <Table label="Releases">
          <thead>
            <tr>
              <th scope="col">Release</th>
              <th scope="col">Project</th>
              <th scope="col">First seen</th>
              <th scope="col">Last seen</th>
              <th scope="col" className="right">Events</th>
              <th scope="col" className="right">New</th>
              <th scope="col" className="right">Resolved</th>
            </tr>
          </thead>
          <tbody>
            {releases.data?.items.map((release) => <Row key={`${release.project} ${release.version}`} release={release} name={nameOf(release)} />)}
          </tbody>
        </Table>
      )}
    </Page>
  );
}
