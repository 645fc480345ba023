import { useState } from "react";
import type { Breadcrumb } from "../../api/types.ts";
import { absolute, clock } from "../../lib/time.ts";
import { Facts } from "../../ui/json.tsx";
import { Panel } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

const SHOWN = 15;

/** What happened before, the newest first: that is what explains an error. */
export function Breadcrumbs({ crumbs }: { crumbs: Breadcrumb[] }) {
  const [all, setAll] = useState(false);
  if (crumbs.length === 0) return null;
  const newest = [...crumbs].reverse();
  return (
    <Panel title={`Breadcrumbs (${crumbs.length})`}>
      <ol className="crumbs">
        {newest.slice(0, all ? 500 : SHOWN).map((crumb, index) => (
          <li key={index} className={crumb.level ?? "info"}>
            <span className="crumbtime">{crumb.timestamp === undefined ? "" : <time dateTime={crumb.timestamp} title={absolute(crumb.timestamp)}>{clock(crumb.timestamp, true)}</time>}</span>
            <span className="crumbkind"><Untrusted limit={60}>{crumb.category ?? crumb.type ?? "default"}</Untrusted></span>
            <div className="crumbbody">
              {crumb.message !== undefined && <p><Untrusted limit={1_000}>{crumb.message}</Untrusted></p>}
              <Facts entries={Object.entries(crumb.data ?? {})} limit={8} />
            </div>
          </li>
        ))}
      </ol>
      {!all && newest.length > SHOWN && (
        <button type="button" className="link pad" onClick={() => setAll(true)}>
          Show {newest.length - SHOWN} earlier
        </button>
      )}
    </Panel>
  );
}
