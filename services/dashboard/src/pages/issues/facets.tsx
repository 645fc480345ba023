import { useState } from "react";
import { useFacets, type IssueFilter } from "../../api/queries.ts";
import type { Facets } from "../../api/types.ts";
import { full } from "../../lib/format.ts";
import { neutralise } from "../../lib/text.ts";
import { Absent, Failure, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

const SHOWN = 6;

type Narrow = (key: string, value: string) => void;

/** How what is found is spread; a click narrows the search down. */
export function FacetPanel({ filter, narrow }: { filter: IssueFilter; narrow: Narrow }) {
  const facets = useFacets(filter, true);
  if (facets.isPending) return <Skeleton rows={3} />;
  if (facets.isError) return <Failure error={facets.error} />;
  if (facets.data === null) return <Absent what="How issues are spread" />;
  return (
    <section className="facetpanel" aria-label="Facets">
      {facets.data.facets.filter(({ values }) => values.length > 0).map((facet) => <Facet key={facet.key} facet={facet} narrow={narrow} />)}
      {facets.data.sample && <p className="muted">Of the {full(facets.data.issues)} latest.</p>}
    </section>
  );
}

function Facet({ facet: { key, values }, narrow }: { facet: Facets["facets"][number]; narrow: Narrow }) {
  const [open, setOpen] = useState(false);
  const rest = values.length - SHOWN;
  return (
    <div>
      <h2>{key}</h2>
      <ul>
        {(open ? values : values.slice(0, SHOWN)).map(({ value, issues }) => (
          <li key={value}>
            <button type="button" className="link" onClick={() => narrow(key === "status" ? "is" : key, value)} aria-label={`${key} ${neutralise(value).slice(0, 100)}: ${issues} issues`}>
              <Untrusted limit={60}>{value}</Untrusted>
            </button>
            <span className="muted">{full(issues)}</span>
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <button type="button" className="link unfold" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Fewer" : `${full(rest)} more`}
          <span className="sr"> of {key}</span>
        </button>
      )}
    </div>
  );
}
