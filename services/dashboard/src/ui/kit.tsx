import { useEffect, useId, useRef, type ButtonHTMLAttributes, type ComponentProps, type ReactNode } from "react";
import { Link } from "react-router-dom";
import { explain, Problem } from "../api/client.ts";
import type { Level, Priority, Status } from "../api/types.ts";
import { neutralise } from "../lib/text.ts";
import { Icon, type IconName } from "./icons.tsx";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> { look?: "primary" | "danger" | "quiet" | ""; small?: boolean; icon?: IconName; busy?: boolean }

export function Button({ look = "", small = false, icon, busy = false, children, className = "", disabled, type = "button", ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} disabled={disabled === true || busy} aria-busy={busy} className={`button ${look} ${small ? "small" : ""} ${className}`}>
      {icon !== undefined && <Icon name={icon} size={small ? 14 : 16} />}
      {children}
    </button>
  );
}

export function IconButton({ icon, label, ...rest }: { icon: IconName; label: string } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} className={`iconbutton ${rest.className ?? ""}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

export const ButtonLink = ({ look = "", icon, children, ...rest }: ComponentProps<typeof Link> & { look?: "primary" | "quiet" | ""; icon?: IconName }) => (
  <Link {...rest} className={`button ${look}`}>
    {icon !== undefined && <Icon name={icon} />}
    {children}
  </Link>
);

export const LevelBadge = ({ level }: { level: Level }) => <span className={`level ${level}`}>{level}</span>;
export const PriorityBadge = ({ priority }: { priority: Priority }) => (
  <span className={`priority ${priority}`} title={`Priority: ${priority}`}>
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      {[0, 1, 2, 3].map((bar) => (
        <rect key={bar} x={bar * 3.1} y={8 - bar * 2.4} width="2.2" height={4 + bar * 2.4 - 0.5} rx="0.6" className={bar <= ["low", "medium", "high", "critical"].indexOf(priority) ? "on" : "off"} />
      ))}
    </svg>
    {priority}
  </span>
);
export const StatusBadge = ({ status }: { status: Status }) => <span className={`tag status ${status}`}>{status}</span>;
export const Tag = ({ children, kind = "" }: { children: ReactNode; kind?: string }) => <span className={`tag ${kind}`}>{children}</span>;

/** A field with its label, help and what the server says against it. */
export function Field({ label, help, error, children }: { label: string; help?: ReactNode; error?: string | undefined; children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ReactNode }) {
  const id = useId();
  const wrong = error !== undefined;
  return (
    <div className={`field ${wrong ? "wrong" : ""}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-note`, "aria-invalid": wrong })}
      <div id={`${id}-note`} className="note" role={wrong ? "alert" : undefined}>
        {error ?? help}
      </div>
    </div>
  );
}

type InputProps = Omit<ComponentProps<"input">, "children"> & { label: string; help?: ReactNode; error?: string | undefined };
export const Input = ({ label, help, error, ...rest }: InputProps) => (
  <Field label={label} help={help} error={error}>
    {(ids) => <input {...rest} {...ids} />}
  </Field>
);

export function Select({ label, help, error, options, ...rest }: Omit<ComponentProps<"select">, "children"> & { label: string; help?: ReactNode; error?: string | undefined; options: readonly (readonly [string, string])[] }) {
  return (
    <Field label={label} help={help} error={error}>
      {(ids) => (
        <select {...rest} {...ids}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {neutralise(text)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export const Check = ({ label, help, ...rest }: ComponentProps<"input"> & { label: ReactNode; help?: ReactNode }) => (
  <label className="check">
    <input type="checkbox" {...rest} />
    <span>
      {label}
      {help !== undefined && <small>{help}</small>}
    </span>
  </label>
);

/** A form that does not reload the page. */
export function Form({ onSubmit, children, className = "" }: { onSubmit: () => void; children: ReactNode; className?: string }) {
  const submit = (event: { preventDefault: () => void }): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form onSubmit={submit} className={className} noValidate>
      {children}
    </form>
  );
}

/** A dialog of the browser's own: it keeps the focus inside, and Escape closes it. */
export function Dialog({ title, onClose, children, wide = false }: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // The browser would take the button that closes it; the first field is what people came for.
    const field = dialog?.querySelector<HTMLElement>(".dialogbody :is(input, select, textarea)") ?? dialog;
    field?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} tabIndex={-1} aria-labelledby={id} className={wide ? "wide" : ""} onCancel={onClose} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div className="dialogbody">{children}</div>
    </dialog>
  );
}

/** Nothing to show, and why. `whole`: there is nothing else on the page, so this is its heading. */
export function Empty({ icon, title, children, action, whole = false }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode; whole?: boolean }) {
  const Heading = whole ? "h1" : "h2";
  return (
    <div className="empty">
      <span className="emptymark">
        <Icon name={icon} size={22} />
      </span>
      <Heading>{title}</Heading>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  );
}

/** What to show when something could not be read. */
export function Failure({ error, retry, whole = false }: { error: unknown; retry?: () => void; whole?: boolean }) {
  const missing = error instanceof Problem && error.status === 404;
  const forbidden = error instanceof Problem && error.status === 403;
  return (
    <div role="alert">
      <Empty whole={whole} icon="warning" title={missing ? "There is no such thing here" : forbidden ? "This is not yours to see" : "This could not be loaded"} action={!missing && retry !== undefined ? <Button onClick={retry}>Try again</Button> : undefined}>
        {missing ? "It was deleted, its time is over, or it belongs to another team." : explain(error)}
      </Empty>
    </div>
  );
}

/** A part of Bugle that this server does not have. */
export const Absent = ({ what }: { what: string }) => (
  <Empty icon="help" title="Not on this server yet">
    {what} comes with a newer version of Bugle.
  </Empty>
);

export const Skeleton = ({ rows = 6, height = 44 }: { rows?: number; height?: number }) => (
  <div className="skeleton" role="status" aria-label="Loading">
    {Array.from({ length: rows }, (_, row) => (
      <svg key={row} width="100%" height={height} aria-hidden="true">
        <rect x="0" y={height * 0.22} width={`${62 - ((row * 17) % 30)}%`} height={height * 0.24} rx="4" />
        <rect x="0" y={height * 0.6} width={`${34 - ((row * 7) % 16)}%`} height={height * 0.18} rx="4" />
      </svg>
    ))}
  </div>
);

export const Page = ({ title, lead, actions, children }: { title: ReactNode; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) => (
  <>
    <header className="pagehead">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p className="lead">{lead}</p>}
      </div>
      {actions !== undefined && <div className="actions">{actions}</div>}
    </header>
    {children}
  </>
);

export const Panel = ({ title, actions, children, className = "" }: { title?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string }) => (
  <section className={`panel ${className}`}>
    {(title !== undefined || actions !== undefined) && (
      <header>
        {title !== undefined && <h2>{title}</h2>}
        {actions}
      </header>
    )}
    {children}
  </section>
);
