import { useState } from "react";
import type { EventBody, Exception, Frame, Stacktrace, Thread } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { culprit, fold, place, source } from "../../lib/frames.ts";
import { cut, neutralise } from "../../lib/text.ts";
import { Icon } from "../../ui/icons.tsx";
import { Facts } from "../../ui/json.tsx";
import { Copy, Untrusted } from "../../ui/text.tsx";
import { Panel } from "../../ui/kit.tsx";

const LINE = 400;

function Source({ frame }: { frame: Frame }) {
  const lines = source(frame);
  if (lines.length === 0) return null;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="source" role="group" aria-label="Source" tabIndex={0}>
      <ol>
        {lines.map((line, index) => (
          <li key={index} className={line.failing ? "failing" : ""} aria-current={line.failing ? "true" : undefined}>
            <span className="lineno">{line.number ?? ""}</span>
            <code>{neutralise(cut(line.text, LINE).text) || " "}</code>
          </li>
        ))}
      </ol>
    </div>
  );
}

function FrameView({ frame, initially }: { frame: Frame; initially: boolean }) {
  const [open, setOpen] = useState(initially);
  const vars = Object.entries(frame.vars ?? {});
  const more = frame.context_line !== undefined || vars.length > 0;
  const title = (
    <>
      <span className="fn"><Untrusted limit={160}>{frame.function ?? "<anonymous>"}</Untrusted></span>
      <span className="at">
        <Untrusted limit={200}>{place(frame)}</Untrusted>
        {frame.lineno !== undefined && <span className="pos">:{frame.lineno}{frame.colno === undefined ? "" : `:${frame.colno}`}</span>}
      </span>
      {frame.in_app === true && <span className="tag inapp">app</span>}
    </>
  );
  return (
    <li className={`frame ${frame.in_app === true ? "own" : "library"}`}>
      {more ? (
        <button type="button" className="framehead" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "down" : "right"} size={14} />
          {title}
        </button>
      ) : (
        <div className="framehead plain">{title}</div>
      )}
      {open && more && (
        <div className="framebody">
          <Source frame={frame} />
          {vars.length > 0 && (
            <details className="vars" open={vars.length <= 12}>
              <summary>{plural(vars.length, "local variable")}</summary>
              <Facts entries={vars} />
            </details>
          )}
        </div>
      )}
    </li>
  );
}

function Folded({ frames }: { frames: { frame: Frame; index: number }[] }) {
  const [open, setOpen] = useState(false);
  if (open) return <>{frames.map(({ frame, index }) => <FrameView key={index} frame={frame} initially={false} />)}</>;
  return (
    <li className="folded">
      <button type="button" onClick={() => setOpen(true)}>
        <Icon name="dots" size={14} /> {plural(frames.length, "frame")} of libraries
      </button>
    </li>
  );
}

function Frames({ trace, all }: { trace: Stacktrace; all: boolean }) {
  const opened = culprit(trace.frames);
  const sections = all ? trace.frames.map((frame, index) => ({ kind: "shown" as const, frame, index })).reverse() : fold(trace.frames);
  const long = trace.frames.length > 200;
  // An app's own frames are open to sight; of a recursion a few are enough.
  const own = trace.frames.map((frame, index) => ({ frame, index })).filter(({ frame }) => frame.in_app === true).slice(-8).map(({ index }) => index);
  return (
    <ol className="frames" aria-label="Stack trace, newest call first">
      {(long ? sections.slice(0, 200) : sections).map((section, index) =>
        section.kind === "shown" ? <FrameView key={section.index} frame={section.frame} initially={section.index === opened || own.includes(section.index)} /> : <Folded key={`f${index}`} frames={section.frames} />,
      )}
      {((trace.frames_omitted ?? 0) > 0 || long) && <li className="folded muted">… {plural((trace.frames_omitted ?? 0) + (long ? sections.length - 200 : 0), "frame")} left out</li>}
    </ol>
  );
}

function ExceptionView({ exception, all, cause }: { exception: Exception; all: boolean; cause: boolean }) {
  return (
    <article className="exception">
      {cause && <p className="causedby">caused by</p>}
      <h3>
        <Untrusted limit={200}>{exception.type ?? "Error"}</Untrusted>
        {exception.module !== undefined && <small><Untrusted limit={120}>{exception.module}</Untrusted></small>}
      </h3>
      {exception.value !== undefined && <p className="exceptionvalue"><Untrusted limit={4_000}>{exception.value}</Untrusted></p>}
      {exception.mechanism !== undefined && (
        <p className="mechanism">
          <span className="tag"><Untrusted limit={60}>{exception.mechanism.type}</Untrusted></span>
          {exception.mechanism.handled !== undefined && <span className={`tag ${exception.mechanism.handled ? "" : "unhandled"}`}>{exception.mechanism.handled ? "handled" : "unhandled"}</span>}
        </p>
      )}
      {exception.stacktrace !== undefined && exception.stacktrace.frames.length > 0 ? <Frames trace={exception.stacktrace} all={all} /> : <p className="muted">No stack trace came with it.</p>}
    </article>
  );
}

/** The chain as plain text, for a ticket or a chat. */
function asText(exceptions: Exception[]): string {
  return [...exceptions]
    .reverse()
    .map((e, index) => {
      const frames = [...(e.stacktrace?.frames ?? [])].reverse().map((f) => `    at ${f.function ?? "?"} (${place(f)}${f.lineno === undefined ? "" : `:${f.lineno}`})`);
      return [`${index > 0 ? "Caused by: " : ""}${e.type ?? "Error"}${e.value === undefined ? "" : `: ${e.value}`}`, ...frames].join("\n");
    })
    .map(neutralise)
    .join("\n");
}

function Threads({ threads, all }: { threads: Thread[]; all: boolean }) {
  const withFrames = threads.filter((thread) => (thread.stacktrace?.frames.length ?? 0) > 0);
  return (
    <>
      {withFrames.slice(0, 20).map((thread, index) => (
        <details key={index} className="thread" open={index === 0 || thread.crashed === true}>
          <summary>
            Thread <Untrusted limit={80}>{thread.name ?? thread.id ?? String(index)}</Untrusted>
            {thread.crashed === true && <span className="tag unhandled">crashed</span>}
          </summary>
          {thread.stacktrace !== undefined && <Frames trace={thread.stacktrace} all={all} />}
        </details>
      ))}
    </>
  );
}

/** A chain alone, its stacks folded. */
export const Chain = ({ exceptions }: { exceptions: Exception[] }) => (
  <Panel title={exceptions.length > 1 ? `${exceptions.length} exceptions` : "Exception"} actions={<Copy text={asText(exceptions)} label="Copy as text" />}>
    {[...exceptions].reverse().slice(0, 30).map((exception, index) => <ExceptionView key={index} exception={exception} all={false} cause={index > 0} />)}
  </Panel>
);

/** What was raised, the newest first, each with its stack. */
export function Exceptions({ event }: { event: EventBody }) {
  const [all, setAll] = useState(false);
  const chain = [...event.exceptions].reverse();
  const message = event.message?.formatted ?? event.message?.template;
  const threads = event.threads?.some((thread) => (thread.stacktrace?.frames.length ?? 0) > 0) === true && chain.every((e) => e.stacktrace === undefined);
  if (chain.length === 0 && !threads) {
    return (
      <Panel title="Message">
        <pre className="message"><Untrusted limit={20_000}>{message ?? event.title}</Untrusted></pre>
      </Panel>
    );
  }
  return (
    <Panel
      title={chain.length > 1 ? `${chain.length} exceptions` : chain.length === 1 ? "Exception" : "Threads"}
      actions={
        <div className="actions">
          <button type="button" className="button small quiet" aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? "Fold libraries" : "All frames"}
          </button>
          <Copy text={asText(event.exceptions)} label="Copy as text" />
        </div>
      }
    >
      {message !== undefined && message !== chain[0]?.value && <pre className="message"><Untrusted limit={20_000}>{message}</Untrusted></pre>}
      {chain.slice(0, 30).map((exception, index) => (
        <ExceptionView key={index} exception={exception} all={all} cause={index > 0} />
      ))}
      {threads && <Threads threads={event.threads ?? []} all={all} />}
    </Panel>
  );
}
