import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useLocation, useSearchParams } from "react-router-dom";

/** One clock for the whole page: a relative time is at most ten seconds old. */
const clock = {
  now: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
  subscribe: (listener: () => void): (() => void) => {
    clock.listeners.add(listener);
    clock.timer ??= setInterval(() => {
      clock.now = Date.now();
      for (const tell of clock.listeners) tell();
    }, 10_000);
    return () => {
      clock.listeners.delete(listener);
      if (clock.listeners.size === 0) {
        clearInterval(clock.timer);
        clock.timer = undefined;
      }
    };
  },
};

export const useNow = (): number => useSyncExternalStore(clock.subscribe, () => clock.now);

/** A filter that lives in the address. Setting it keeps the others; null removes it. */
export function useFilter(name: string): [string | null, (value: string | null) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string | null) => {
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (value === null || value === "") next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace: true },
      );
    },
    [name, setParams],
  );
  return [params.get(name), set];
}

/** A path that keeps the chosen project. */
export function useKeepProject(): (path: string) => string {
  const project = new URLSearchParams(useLocation().search).get("project");
  return (path) => (project === null ? path : `${path}${path.includes("?") ? "&" : "?"}project=${encodeURIComponent(project)}`);
}

/** State that outlives the page, in this browser only. */
export function useStored<T>(name: string, empty: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      const text = localStorage.getItem(name);
      return text === null ? empty : (JSON.parse(text) as T);
    } catch {
      return empty;
    }
  });
  const set = useCallback(
    (next: T) => {
      setValue(next);
      try {
        localStorage.setItem(name, JSON.stringify(next));
      } catch {
        // A browser that keeps nothing: it holds until the reload.
      }
    },
    [name],
  );
  return [value, set];
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && !(target instanceof HTMLInputElement && ["checkbox", "radio"].includes(target.type)) && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

/** Single-key commands. Silent while somebody types, a dialog or menu is open, or a modifier is held. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector("dialog[open], [role=menu][data-state=open]") !== null) return;
      if (event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button, [role=tab]") !== null) return;
      const act = latest.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Bugle" : `${title} · Bugle`;
  }, [title]);
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}
