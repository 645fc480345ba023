import type { HttpRequest, Json, Pairs } from "../../api/types.ts";
import { curl, fullUrl } from "../../lib/curl.ts";
import { neutralise } from "../../lib/text.ts";
import { Facts } from "../../ui/json.tsx";
import { Panel } from "../../ui/kit.tsx";
import { Copy, SafeLink, Untrusted } from "../../ui/text.tsx";

const Part = ({ title, entries, open = false }: { title: string; entries: Pairs | [string, Json][] | undefined; open?: boolean }) =>
  entries === undefined || entries.length === 0 ? null : (
    <details className="part" open={open}>
      <summary>
        {title} <span className="muted">{entries.length}</span>
      </summary>
      <Facts entries={entries} />
    </details>
  );

function Body({ data }: { data: Json | undefined }) {
  if (data === undefined || data === null || data === "") return null;
  return (
    <details className="part" open>
      <summary>Body</summary>
      <pre className="message">{neutralise(typeof data === "string" ? data : JSON.stringify(data, null, 2)).slice(0, 20_000)}</pre>
    </details>
  );
}

export function Request({ request }: { request: HttpRequest | null }) {
  if (request === null || (request.url === undefined && request.method === undefined && (request.headers ?? []).length === 0)) return null;
  return (
    <Panel title="Request" actions={<Copy text={curl(request)} label="Copy as curl" />}>
      <p className="requestline">
        <span className="tag method"><Untrusted limit={16}>{request.method ?? "GET"}</Untrusted></span>
        <SafeLink href={fullUrl(request)} />
      </p>
      <Part title="Query" entries={request.query} open />
      <Body data={request.data} />
      <Part title="Headers" entries={request.headers} open />
      <Part title="Cookies" entries={request.cookies} />
      <Part title="Environment" entries={Object.entries(request.env ?? {})} />
    </Panel>
  );
}
