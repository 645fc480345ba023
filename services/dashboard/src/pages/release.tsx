import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router-dom";
import { get } from "../api/client.ts";
import type { Commit, Deploy, Issue, List, Release } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useTitle } from "../lib/hooks.ts";
import { neutralise } from "../lib/text.ts";
import { ButtonLink, Failure, LevelBadge, Page, Panel, Skeleton, StatusBadge, Tag } from "../ui/kit.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { SafeLink, Time, Untrusted } from "../ui/text.tsx";
import { Trend } from "./releasetrend.tsx";

/** A part of a release that comes as a list; the first hundred. */
const usePart = <T,>(release: string, part: string, params: Record<string, string> = {}) =>
  useQuery({ queryKey: ["release", release, part, params], queryFn: ({ signal }) => get<List<T>>(`/releases/${encodeURIComponent(release)}/${part}`, { params: { limit: 100, ...params }, signal }) });

function Issues({ release, kind, none }: { release: string; kind: string; none: string }) {
  const issues = usePart<Issue>(release, "issues", { kind });
  if (issues.isPending) return <Skeleton rows={3} />;
  if (issues.isError) return <Failure error={issues.error} retry={() => void issues.refetch()} />;
  if (issues.data.items.length === 0) return <p className="pad muted">{none}</p>;
  return (
    <Panel>
      <ul className="rows">
        {issues.data.items.map((issue) => (
          <li key={issue.id}>
            <LevelBadge level={issue.level} />
            <Link className="grow" to={`/issues/${issue.short_id}`}><Untrusted limit={200}>{issue.title}</Untrusted></Link>
            <StatusBadge status={issue.status} />
            <span className="muted">{full(issue.count)} {issue.count === 1 ? "event" : "events"}</span>
            <Time at={issue.last_seen} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Deploys({ release }: { release: string }) {
  const deploys = usePart<Deploy>(release, "deploys").data?.items ?? [];
  if (deploys.length === 0) return null;
  return (
    <Panel title={`Deploys (${deploys.length})`}>
      <ul className="rows">
        {deploys.map((deploy) => (
          <li key={deploy.id}>
            <Tag><Untrusted limit={64}>{deploy.environment}</Untrusted></Tag>
            <span className="grow"><Untrusted limit={64}>{deploy.name ?? ""}</Untrusted></span>
            <Time at={deploy.finished_at} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Commits({ release, count }: { release: string; count: number }) {
  const commits = usePart<Commit>(release, "commits").data?.items ?? [];
  if (commits.length === 0) return null;
  return (
    <Panel title={`Commits (${full(count)})`}>
      <ul className="rows">
        {commits.map((commit, place) => (
          <li key={place}>
            <code className="muted"><Untrusted limit={10}>{commit.id.slice(0, 10)}</Untrusted></code>
            <span className="grow"><Untrusted limit={200}>{(commit.message ?? "").split("\n")[0] ?? ""}</Untrusted></span>
            <span className="muted"><Untrusted limit={100}>{commit.author_name ?? commit.author_email ?? ""}</Untrusted></span>
            {commit.timestamp !== null && <Time at={commit.timestamp} />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const Numbers = ({ release: r }: { release: Release }) => (
  <dl className="numbers">
    {([["Events", r.events], ["New issues", r.new_issues], ["Back again", r.regressed_issues], ["Resolved issues", r.resolved_issues]] as const).map(([name, n]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{full(n)}</dd>
        <dd className="note">in this release</dd>
      </div>
    ))}
  </dl>
);

const Facts = ({ release: { url, ...r } }: { release: Release }) => (
  <Panel title="Times">
    <p className="pad">
      First heard of <Time at={r.created_at} />
      {r.released_at !== null && <>, released <Time at={r.released_at} /></>}
      {r.first_seen !== null && <>, first seen <Time at={r.first_seen} /></>}
      {r.last_seen !== null && <>, last seen <Time at={r.last_seen} /></>}
    </p>
    {r.ref !== null && <p className="pad">Built from <code><Untrusted limit={250}>{r.ref}</Untrusted></code></p>}
    {url !== null && <p className="pad"><SafeLink href={url} /></p>}
    {r.authors.length > 0 && <p className="pad">By <Untrusted limit={1000}>{r.authors.map((author) => author.name ?? author.email ?? "").join(", ")}</Untrusted></p>}
  </Panel>
);

export default function ReleasePage() {
  const { project = "", version = "" } = useParams();
  const id = `${project}:${version}`;
  useTitle(neutralise(version).slice(0, 80));
  const release = useQuery({ queryKey: ["release", id], queryFn: ({ signal }) => get<Release>(`/releases/${encodeURIComponent(id)}`, { signal }) });
  if (release.isPending) return <Skeleton />;
  if (release.isError) return <Failure whole error={release.error} retry={() => void release.refetch()} />;
  const r = release.data;
  const kinds = [["new", "New", r.new_issues, "No issue was first seen in this release."], ["regressed", "Back again", r.regressed_issues, "No issue came back with this release."], ["resolved", "Resolved", r.resolved_issues, "No issue is resolved by this release."]] as const;
  return (
    <Page
      title={<Untrusted limit={120}>{r.version}</Untrusted>}
      lead={<Untrusted limit={64}>{r.project_name}</Untrusted>}
      actions={<ButtonLink to={`/issues?status=all&project=${encodeURIComponent(r.project_name)}&query=${encodeURIComponent(`release:"${version}"`)}`}>Issues in it</ButtonLink>}
    >
      <Numbers release={r} />
      <Trend release={id} project={r.project_name} />
      <Tabs label="Issues" name="issues" tabs={kinds.map(([kind, name, count, none]) => ({ id: kind, label: `${name} (${full(count)})`, content: () => <Issues release={id} kind={kind} none={none} /> }))} />
      <Facts release={r} />
      <Deploys release={id} />
      <Commits release={id} count={r.commit_count} />
      <p><Link to="/releases">All releases</Link></p>
    </Page>
  );
}
