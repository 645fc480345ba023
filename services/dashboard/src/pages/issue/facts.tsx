import { Link } from "react-router-dom";
import type { EventBody, Json, JsonMap } from "../../api/types.ts";
import { withFilter } from "../../lib/query.ts";
import { Facts } from "../../ui/json.tsx";
import { Panel } from "../../ui/kit.tsx";
import { Copy, Untrusted } from "../../ui/text.tsx";

const isMap = (value: Json | undefined): value is JsonMap => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (map: Json | undefined, ...names: string[]): string => (isMap(map) ? names.map((name) => map[name]).filter((part) => typeof part === "string" || typeof part === "number").join(" ") : "");

/** Who, on what: the few facts that one looks for first. */
export function Highlights({ event }: { event: EventBody }) {
  const { user, contexts } = event;
  const cards: [string, string, string][] = [
    ["User", user === null ? "" : (user.email ?? user.username ?? user.name ?? user.id ?? user.ip_address ?? ""), user === null ? "" : [user.id === undefined ? "" : `id ${user.id}`, user.ip_address ?? ""].filter((part) => part !== "" && part !== (user.email ?? user.username ?? user.name ?? user.id ?? user.ip_address)).join(" · ")],
    ["Browser", text(contexts["browser"], "name", "version"), ""],
    ["Device", text(contexts["device"], "brand", "model") || text(contexts["device"], "name") || text(contexts["device"], "family"), text(contexts["device"], "arch")],
    ["System", text(contexts["os"], "name", "version"), text(contexts["os"], "build")],
    ["Runtime", text(contexts["runtime"], "name", "version"), ""],
    ["Release", event.release ?? "", event.dist === undefined ? "" : `build ${event.dist}`],
    ["Environment", event.environment ?? "", event.server_name ?? ""],
  ];
  const shown = cards.filter(([, value]) => value !== "");
  if (shown.length === 0) return null;
  return (
    <dl className="highlights">
      {shown.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Untrusted limit={120}>{value}</Untrusted>
            {more !== "" && <small><Untrusted limit={80}>{more}</Untrusted></small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function EventTags({ event }: { event: EventBody }) {
  const tags = Object.entries(event.tags);
  if (tags.length === 0) return null;
  return (
    <Panel title="Tags">
      <ul className="tagcloud">
        {tags.slice(0, 100).map(([key, value]) => (
          <li key={key}>
            <Link to={`/issues?status=all&query=${encodeURIComponent(withFilter("", key, value))}`} title="Issues with this tag">
              <span><Untrusted limit={60}>{key}</Untrusted></span>
              <b><Untrusted limit={120}>{value}</Untrusted></b>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function Contexts({ event }: { event: EventBody }) {
  const contexts = Object.entries(event.contexts).filter(([, value]) => isMap(value) && Object.keys(value).length > 0) as [string, JsonMap][];
  const user = event.user;
  return (
    <>
      {user !== null && (
        <Panel title="User">
          <Facts entries={[["id", user.id], ["email", user.email], ["username", user.username], ["name", user.name], ["address", user.ip_address], ...Object.entries(user.data ?? {})]} />
        </Panel>
      )}
      {contexts.length > 0 && (
        <Panel title="Contexts">
          <div className="contexts">
            {contexts.slice(0, 40).map(([name, fields]) => (
              <section key={name}>
                <h3><Untrusted limit={60}>{name}</Untrusted></h3>
                <Facts entries={Object.entries(fields).filter(([key]) => key !== "type")} limit={12} />
              </section>
            ))}
          </div>
        </Panel>
      )}
      {Object.keys(event.extra ?? {}).length > 0 && (
        <Panel title="Additional data">
          <Facts entries={Object.entries(event.extra ?? {})} />
        </Panel>
      )}
      {Object.keys(event.modules ?? {}).length > 0 && (
        <Panel>
          <details className="part">
            <summary>
              Packages <span className="muted">{Object.keys(event.modules ?? {}).length}</span>
            </summary>
            <Facts entries={Object.entries(event.modules ?? {})} />
          </details>
        </Panel>
      )}
      <Panel title="Event">
        <Facts
          entries={[
            ["id", event.event_id], ["transaction", event.transaction], ["logger", event.logger], ["host", event.server_name], ["SDK", `${event.sdk?.name ?? ""} ${event.sdk?.version ?? ""}`.trim()], ["came by", event.source],
            ["request id", event.request_id], ["trace", event.trace_id], ["span", event.span_id], ["received", event.received_at],
          ]}
        />
        <div className="pad actions">
          <Copy text={JSON.stringify(event, null, 2)} label="Copy as JSON" />
        </div>
        {(event.errors ?? []).length > 0 && (
          <details className="part">
            <summary>What had to be changed <span className="muted">{event.errors?.length}</span></summary>
            <ul className="plainlist">{event.errors?.map((error, index) => <li key={index}><Untrusted>{error}</Untrusted></li>)}</ul>
          </details>
        )}
      </Panel>
    </>
  );
}
