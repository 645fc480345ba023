import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";
import { useFilter } from "../lib/hooks.ts";

export interface TabSpec { id: string; label: ReactNode; content: () => ReactNode }

/** Tabs whose choice is in the address, as `name`. */
export function Tabs({ tabs, name = "tab", label }: { tabs: TabSpec[]; name?: string; label: string }) {
  const [chosen, choose] = useFilter(name);
  const first = tabs[0]?.id ?? "";
  const value = tabs.some((tab) => tab.id === chosen) ? (chosen ?? first) : first;
  return (
    <Radix.Root value={value} onValueChange={(next) => choose(next === first ? null : next)} activationMode="manual">
      <Radix.List className="tabs" aria-label={label}>
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.id} value={tab.id} className="tab">
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} className="tabpanel">
          {tab.content()}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
