import * as Radix from "@radix-ui/react-tabs";
import { useEffect, useRef, type ReactNode } from "react";
import { useFilter } from "../lib/hooks.ts";

/** Brings the chosen tab of a row that is wider than the screen into sight; the page itself stays where it is. */
function useInSight(value: string) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tab = list.current?.querySelector<HTMLElement>("[data-state=active]");
    if (list.current === null || tab === null || tab === undefined) return;
    list.current.scrollLeft = tab.offsetLeft - list.current.offsetLeft - (list.current.clientWidth - tab.offsetWidth) / 2;
  }, [value]);
  return list;
}

export interface TabSpec { id: string; label: ReactNode; content: () => ReactNode }

/** Tabs whose choice is in the address, as `name`. */
export function Tabs({ tabs, name = "tab", label }: { tabs: TabSpec[]; name?: string; label: string }) {
  const [chosen, choose] = useFilter(name);
  const first = tabs[0]?.id ?? "";
  const value = tabs.some((tab) => tab.id === chosen) ? (chosen ?? first) : first;
  const list = useInSight(value);
  return (
    <Radix.Root value={value} onValueChange={(next) => choose(next === first ? null : next)} activationMode="manual">
      <Radix.List ref={list} className="tabs" aria-label={label}>
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
