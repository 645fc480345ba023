import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../../api/client.ts";
import type { Issue, List } from "../../api/types.ts";
import { SNIPPETS } from "../../lib/snippets.ts";
import { useStored } from "../../lib/hooks.ts";
import { ButtonLink, Panel } from "../../ui/kit.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Code, Untrusted } from "../../ui/text.tsx";

const ASK_MS = 2_000;

/** Waits for the project's first event, and turns green by itself. */
export function FirstEvent({ project }: { project: number }) {
  const issues = useQuery({
    queryKey: ["issues", "first", project],
    queryFn: ({ signal }) => get<List<Issue>>("/issues", { params: { project, limit: 1 }, signal }),
    refetchInterval: (query) => ((query.state.data?.items.length ?? 0) > 0 ? false : ASK_MS),
  });
  const first = issues.data?.items[0];
  return (
    <div className={`firstevent ${first === undefined ? "" : "arrived"}`} role="status">
      <span className="pulse" aria-hidden="true">{first === undefined ? null : <Icon name="check" />}</span>
      {first === undefined ? (
        <p>
          <strong>Waiting for the first event…</strong>
          <br />
          <span className="muted">This turns green by itself as soon as one arrives.</span>
        </p>
      ) : (
        <>
          <p>
            <strong>It works.</strong>
            <br />
            <Untrusted limit={120}>{first.title}</Untrusted>
          </p>
          <ButtonLink to={`/issues/${first.short_id}`} look="primary">
            Look at it
          </ButtonLink>
        </>
      )}
    </div>
  );
}

/** How to connect an app, with the DSN filled in. */
export function Guide({ dsn, project }: { dsn: string; project: number }) {
  const [last, remember] = useStored("bugle.platform", "django");
  const [chosen, choose] = useState(last);
  const snippet = SNIPPETS.find((s) => s.id === chosen) ?? SNIPPETS[0];
  return (
    <>
      <Panel title="DSN" className="tightpanel">
        <div className="pad">
          <Code text={dsn} label="DSN" />
        </div>
      </Panel>
      <Panel title="Connect your app">
        <div className="platforms" role="group" aria-label="Platform">
          {SNIPPETS.map((s) => (
            <button
              key={s.id}
              type="button"
              aria-pressed={s.id === snippet?.id}
              onClick={() => {
                choose(s.id);
                remember(s.id);
              }}
            >
              {s.name}
            </button>
          ))}
        </div>
        <ol className="steps">
          {snippet?.steps(dsn).map(({ title, code }) => (
            <li key={title}>
              <h3>{title}</h3>
              <Code text={code} label={title} />
            </li>
          ))}
        </ol>
      </Panel>
      <FirstEvent project={project} />
    </>
  );
}
