import type { ReactNode } from "react";
import { useTitle } from "../lib/hooks.ts";
import { Brand } from "../shell/brand.tsx";

/** The frame of pages before the door: one narrow card. */
export function Door({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="door">
      <div className="card">
        <Brand />
        <h1>{title}</h1>
        {lead !== undefined && <p className="lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}

/** What went wrong, where no field is to blame. */
export const Wrong = ({ children }: { children: ReactNode }) => (
  <div role="alert" className="wrongbox">
    {children}
  </div>
);
