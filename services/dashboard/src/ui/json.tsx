import { useState } from "react";
import type { Json, JsonMap } from "../api/types.ts";
import { plural } from "../lib/format.ts";
import { SafeLink, Untrusted } from "./text.tsx";

const SHOWN = 50;
const DEPTH = 6;

/** A value that an app sent, of any shape; structures open one level at a time. */
export function Value({ value, depth = 0 }: { value: Json | undefined; depth?: number }) {
  if (value === null || value === undefined) return <span className="json null">null</span>;
  if (typeof value === "string") return <span className="json string">{/^https?:\/\//.test(value) && depth === 0 ? <SafeLink href={value} /> : <Untrusted>{value}</Untrusted>}</span>;
  if (typeof value === "number" || typeof value === "boolean") return <span className="json number">{String(value)}</span>;
  if (depth >= DEPTH) return <Untrusted>{JSON.stringify(value)}</Untrusted>;
  return <Structure value={value} depth={depth} />;
}

function Structure({ value, depth }: { value: Json[] | JsonMap; depth: number }) {
  const [open, setOpen] = useState(false);
  const entries = Array.isArray(value) ? value.map((item, index) => [String(index), item] as const) : Object.entries(value);
  const [from, to] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return <span className="json null">{from + to}</span>;
  const text = JSON.stringify(value);
  if (text.length <= 60) return <span className="json"><Untrusted>{text}</Untrusted></span>;
  return (
    <span className="json">
      <button type="button" className="jsontoggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {from}
        {open ? "" : ` ${plural(entries.length, Array.isArray(value) ? "item" : "field")} `}
        {open ? "" : to}
      </button>
      {open && (
        <>
          <span className="jsonfields">
            {entries.slice(0, SHOWN).map(([name, item]) => (
              <span key={name}>
                <b><Untrusted limit={120}>{name}</Untrusted></b>: <Value value={item} depth={depth + 1} />
              </span>
            ))}
            {entries.length > SHOWN && <span className="muted">… {entries.length - SHOWN} more</span>}
          </span>
          {to}
        </>
      )}
    </span>
  );
}

/** Names and values in two columns. */
export function Facts({ entries, limit = 30 }: { entries: (readonly [string, Json | undefined])[]; limit?: number }) {
  const [all, setAll] = useState(false);
  const shown = entries.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (shown.length === 0) return null;
  return (
    <>
      <dl className="facts">
        {shown.slice(0, all ? 500 : limit).map(([name, value], index) => (
          <div key={`${name} ${index}`}>
            <dt><Untrusted limit={120}>{name}</Untrusted></dt>
            <dd><Value value={value} /></dd>
          </div>
        ))}
      </dl>
      {!all && shown.length > limit && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          Show {shown.length - limit} more
        </button>
      )}
    </>
  );
}
