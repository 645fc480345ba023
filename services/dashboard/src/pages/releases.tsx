import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router-dom";
import { get } from "../api/client.ts";
import type { List, Release } from "../api/types.ts";
import { full } from "../lib/format.ts";
import { useFilter, useTitle } from "../lib/hooks.ts";
import { Button, Empty, Failure, Input, Page, Select, Skeleton, Tag } from "../ui/kit.tsx";
import { Cell, right, Row, Table } from "../ui/table.tsx";
import { Time, Untrusted } from "../ui/text.tsx";

const ORDERS = [["created", "Last made known"], ["version", "Highest version"]] as const;

/** A project's number, not its name, so that a link outlives a new name. */
const path = (release: Release): string => `/releases/${release.project}/${encodeURIComponent(release.version)}`;

const ReleaseRow = ({ release }: { release: Release }) => (
  <Row>
    <Cell>
      <Link to={path(release)}><strong><Untrusted limit={100}>{release.version}</Untrusted></strong></Link>
    </Cell>
    <Cell><Untrusted limit={64}>{release.project_name}</Untrusted></Cell>
    <Cell>{release.deployed.length === 0 ? "–" : release.deployed.map(({ environment }) => <Tag key={environment}><Untrusted limit={64}>{environment}</Untrusted></Tag>)}</Cell>
    <Cell><Time at={release.released_at ?? release.created_at} /></Cell>
    <Cell>{release.last_seen === null ? "–" : <Time at={release.last_seen} />}</Cell>
    <Cell>{full(release.events)}</Cell>
    <Cell>{full(release.new_issues)}</Cell>
    <Cell>{full(release.regressed_issues)}</Cell>
    <Cell>{full(release.resolved_issues)}</Cell>
  </Row>
);

export default function Releases() {
  useTitle("Releases");
  const [project] = useFilter("project");
  const [version, setVersion] = useFilter("version");
  const [sort, setSort] = useFilter("sort");
  // What is typed is looked for anywhere; with stars it is taken as it is.
  const pattern = version === null || version.includes("*") ? version : `*${version}*`;
  const releases = useInfiniteQuery({
    queryKey: ["releases", "pages", project, pattern, sort],
    queryFn: ({ pageParam, signal }) => get<List<Release>>("/releases", { params: { project, version: pattern, sort, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  const items = releases.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title="Releases" lead={project ?? "All projects"}>
      <div className="inline">
        <Input label="Version" type="search" value={version ?? ""} placeholder="shop@1.*" onChange={(event) => setVersion(event.target.value)} />
        <Select label="Order" options={ORDERS} value={sort ?? "created"} onChange={(event) => setSort(event.target.value === "created" ? null : event.target.value)} />
      </div>
      {releases.isPending && <Skeleton />}
      {releases.isError && <Failure error={releases.error} retry={() => void releases.refetch()} />}
      {releases.isSuccess && items.length === 0 && (
        <Empty icon="releases" title={version === null ? "No releases yet" : "No such release"}>
          Set <code>release</code> in the SDK, or call <code>sentry-cli releases new</code>.
        </Empty>
      )}
      {items.length > 0 && (
        <Table label="Releases" columns={["Release", "Project", "Runs in", "Since", "Last seen", right("Events"), right("New"), right("Back"), right("Resolved")]}>
          {items.map((release) => <ReleaseRow key={release.id} release={release} />)}
        </Table>
      )}
      {releases.hasNextPage && <Button busy={releases.isFetchingNextPage} onClick={() => void releases.fetchNextPage()}>Show more</Button>}
    </Page>
  );
}
