import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const NAME = "bugle.theme";
const listeners = new Set<() => void>();

function read(): Theme {
  const stored = localStorage.getItem(NAME);
  return stored === "light" || stored === "dark" ? stored : "system";
}

let theme: Theme = read();

/** Puts the theme on the page; call it before the first paint. */
export function applyTheme(next: Theme = theme): void {
  theme = next;
  if (next === "system") localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, next);
  const dark = next === "dark" || (next === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme());

export function useTheme(): { theme: Theme; dark: boolean } {
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => `${theme} ${document.documentElement.dataset["theme"] ?? ""}`,
  );
  return { theme: current.split(" ")[0] as Theme, dark: current.endsWith("dark") };
}
