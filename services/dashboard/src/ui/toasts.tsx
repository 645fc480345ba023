import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { explain } from "../api/client.ts";
import { Icon } from "./icons.tsx";

interface Toast { id: number; kind: "done" | "error"; text: string }
interface Toasts { done: (text: string) => void; error: (text: string) => void; failed: (error: unknown) => void }

const Context = createContext<Toasts>({ done: () => undefined, error: () => undefined, failed: () => undefined });

export const useToast = (): Toasts => useContext(Context);

let last = 0;

/** Short notes at the edge of the page. What went wrong stays until it is closed. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const close = useCallback((id: number) => setToasts((old) => old.filter((t) => t.id !== id)), []);
  const show = useCallback(
    (kind: Toast["kind"], text: string) => {
      last += 1;
      const id = last;
      setToasts((old) => [...old.filter((t) => t.text !== text).slice(-3), { id, kind, text }]);
      if (kind === "done") setTimeout(() => close(id), 5_000);
    },
    [close],
  );
  const value = useMemo<Toasts>(() => ({ done: (text) => show("done", text), error: (text) => show("error", text), failed: (error) => show("error", explain(error)) }), [show]);
  return (
    <Context value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast ${toast.kind}`}>
            <Icon name={toast.kind === "done" ? "check" : "warning"} />
            <span>{toast.text}</span>
            <button type="button" className="iconbutton" aria-label="Close" onClick={() => close(toast.id)}>
              <Icon name="close" size={14} />
            </button>
          </div>
        ))}
      </div>
    </Context>
  );
}
