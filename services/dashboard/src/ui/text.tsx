import { useState, type ReactNode } from "react";
import { useNow } from "../lib/hooks.ts";
import { cut, neutralise, safeUrl } from "../lib/text.ts";
import { absolute, relative, span } from "../lib/time.ts";
import { Icon } from "./icons.tsx";
import { useToast } from "./toasts.tsx";

/** Text that came from an app: the only way in which it reaches the page. Isolated in direction, bounded in length. */
export function Untrusted({ children, limit = 2_000 }: { children: string | null | undefined; limit?: number }) {
  const { text, left } = cut(children ?? "", limit);
  return (
    <bdi className="untrusted">
      {neutralise(text)}
      {left > 0 && <span className="muted">… {left.toLocaleString("en")} more characters</span>}
    </bdi>
  );
}

/** An address that came from outside: a link when it is http or https, else text. */
export function SafeLink({ href, children }: { href: string | null | undefined; children?: ReactNode }) {
  const url = safeUrl(href ?? "");
  const text = children ?? <Untrusted limit={300}>{href}</Untrusted>;
  if (url === null) return <>{text}</>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" referrerPolicy="no-referrer">
      {text}
    </a>
  );
}

/** A time as "3 min ago", and in full for those who point at it. */
export function Time({ at, short = false }: { at: string | null | undefined; short?: boolean }) {
  const now = useNow();
  if (at === null || at === undefined) return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={absolute(at)}>
      {short ? span((now - Date.parse(at)) / 1000) : relative(at, now)}
    </time>
  );
}

/** Browsers have a clipboard only over https and on localhost. Over plain http they still copy what is selected. */
function copySelected(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "sr";
  // Outside of an open dialog nothing can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.focus({ preventScroll: true });
  area.select();
  try {
    // All there is over plain http.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

export function Copy({ text, label = "Copy", small = true }: { text: string; label?: string; small?: boolean }) {
  const [state, setState] = useState<"" | "done" | "failed">("");
  const toast = useToast();
  const act = async (): Promise<void> => {
    const copied = await toClipboard(text);
    // Said at the button too: an open dialog hides the note at the edge of the page.
    if (!copied) toast.error("The browser does not allow copying here. Select the text instead.");
    setState(copied ? "done" : "failed");
    setTimeout(() => setState(""), copied ? 1_600 : 5_000);
  };
  return (
    <button type="button" className={`button ${small ? "small" : ""} quiet`} onClick={() => void act()}>
      <Icon name={state === "done" ? "check" : state === "failed" ? "warning" : "copy"} size={14} />
      <span aria-live="polite">{state === "done" ? "Copied" : state === "failed" ? "Not copied" : label}</span>
    </button>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="codebox">
      {/* A long line scrolls; keys must reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} aria-label={label} role="group">
        <code>{neutralise(text)}</code>
      </pre>
      <Copy text={text} />
    </div>
  );
}
