/** Why events are grouped as they are. */
import type { Component } from "../api/types.ts";
import { Untrusted } from "./text.tsx";

const METHODS: Record<string, string> = {
  rule: "by a grouping rule of the project",
  checksum: "by the checksum that the app sent",
  fingerprint: "by the fingerprint that the app sent",
  known: "as a known error, which has one cause whatever its trace",
  frames: "by the types and the frames of its exceptions",
  value: "by the types and the messages of its exceptions: no frame counts",
  thread: "by the frames of a thread",
  security: "by the directive and what it blocked",
  message: "by the message, without its numbers and names",
  nothing: "by the logger and the transaction: the event says nothing else",
};
/** What hashes are made of. */
export const VARIANTS: Record<string, string> = { app: "the app's own frames", system: "all frames", message: "the message", fingerprint: "the fingerprint" };
const MOST = 300;

/** By what events are grouped, as the end of a sentence. */
export const methodOf = (method: string): string => METHODS[method] ?? `by ${method.replace(/_/g, " ")}`;

/** How many parts count. */
export const counting = (component: Component): number => (component.children ?? []).reduce((sum, child) => sum + counting(child), component.value !== undefined && component.contributes ? 1 : 0);

/** What counts of an event; with `all` also what does not. */
export function ComponentTree({ components, all }: { components: Component[]; all: boolean }) {
  const shown = all ? components : components.filter((component) => component.contributes);
  if (shown.length === 0) return null;
  return (
    <ul className="why">
      {shown.slice(0, MOST).map((component, index) => (
        <li key={index} className={component.contributes ? "counts" : "silent"}>
          <span className="whyname"><Untrusted limit={60}>{component.name}</Untrusted></span>
          {component.value !== undefined && <code><Untrusted limit={300}>{component.value}</Untrusted></code>}
          {!component.contributes && <span className="sr"> (does not count)</span>}
          {component.reason !== undefined && <small><Untrusted limit={200}>{component.reason}</Untrusted></small>}
          <ComponentTree components={component.children ?? []} all={all} />
        </li>
      ))}
    </ul>
  );
}
