import { useState } from "react";
import { bodyOf, nameOf, operationsOf, useOpenApi, type Answer, type OpenApi, type Place } from "../../api/openapi.ts";
import { bytes } from "../../lib/format.ts";
import { useFilter, useTitle } from "../../lib/hooks.ts";
import { Empty, Failure, Page, Panel, Skeleton } from "../../ui/kit.tsx";
import { SchemaView } from "./schema.tsx";
import { Try } from "./try.tsx";
import "./docs.css";

/** The API, operation by operation, made of the document that the server gives out. */
export default function ApiDocs() {
  useTitle("API");
  const found = useOpenApi();
  const [search, setSearch] = useFilter("find");
  const document = found.data;
  return (
    <Page
      title="API"
      lead={
        <>
          {document?.info.description ?? "Everything that the dashboard does goes through this API."} The document itself: <a href="/api/v1/openapi.json">openapi.json</a>, OpenAPI 3.1.
        </>
      }
    >
      <div className="listbar">
        <input type="search" aria-label="Find an operation" placeholder="Find an operation" value={search ?? ""} onChange={(event) => setSearch(event.target.value)} />
      </div>
      {found.isPending && <Skeleton />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {document !== undefined && <Tags document={document} search={(search ?? "").toLowerCase()} />}
    </Page>
  );
}

function Tags({ document, search }: { document: OpenApi; search: string }) {
  const fits = ({ method, path, operation }: Place): boolean => `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase().includes(search);
  const listed = new Map(document.tags.map((tag) => [tag.name, tag.description]));
  const others = Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap((operation) => operation.tags));
  const tags = [...new Set([...listed.keys(), ...others])].map((name) => ({ name, places: operationsOf(document, name).filter(fits) })).filter((tag) => tag.places.length > 0);
  if (tags.length === 0) return <Empty icon="search" title="No operation is called so">Words of a path, a method, or a sentence find one.</Empty>;
  return (
    <div className="apidocs">
      {tags.map(({ name, places }) => (
        <Panel key={name} title={name}>
          <p className="muted">{listed.get(name)}</p>
          {places.map((place) => (
            <OperationView key={place.operation.operationId} document={document} place={place} />
          ))}
        </Panel>
      ))}
    </div>
  );
}

function OperationView({ document, place }: { document: OpenApi; place: Place }) {
  const [open, setOpen] = useState(false);
  const { method, path, operation } = place;
  return (
    <details id={operation.operationId} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className={`method ${method}`}>{method.toUpperCase()}</span> <code>{path}</code> <span className="says">{operation.summary}</span>
      </summary>
      {open && <Details document={document} place={place} />}
    </details>
  );
}

function Details({ document, place: { method, path, operation } }: { document: OpenApi; place: Place }) {
  const body = bodyOf(operation);
  const isTried = method === "get" && path.startsWith("/api/v1/");
  const parameters = operation.parameters ?? [];
  return (
    <div className="operation">
      <p>{operation.description}</p>
      {parameters.length > 0 && !isTried && (
        <>
          <h3>Parameters</h3>
          <dl>
            {parameters.map((parameter) => (
              <div key={`${parameter.in} ${parameter.name}`}>
                <dt>
                  <code>{parameter.name}</code>
                </dt>
                <dd>{parameter.description}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {body.schema !== undefined && (
        <>
          <h3>Body</h3>
          {(body.most !== undefined || body.types.length > 1) && (
            <p>
              {body.types.map((type) => <code key={type}>{type} </code>)}
              {body.most !== undefined && <span className="muted">{bytes(body.most)} at most</span>}
            </p>
          )}
          <SchemaView document={document} schema={body.schema} />
        </>
      )}
      <h3>Answers</h3>
      <Answers document={document} answers={operation.responses} />
      {isTried && (
        <>
          <h3>Try it</h3>
          <Try path={path} operation={operation} />
        </>
      )}
    </div>
  );
}

function Answers({ document, answers }: { document: OpenApi; answers: Record<string, Answer> }) {
  const all = Object.entries(answers).map(([status, answer]) => ({ status, answer: answer.$ref === undefined ? answer : document.components.responses[nameOf(answer.$ref)] }));
  const isGood = (status: string): boolean => status.startsWith("2");
  return (
    <>
      {all.filter(({ status }) => isGood(status)).map(({ status, answer }) => (
        <div key={status}>
          <p>
            <strong>{status}</strong> {answer?.description} {Object.keys(answer?.content ?? {}).map((type) => <code key={type}>{type} </code>)}
          </p>
          {Object.entries(answer?.content ?? {}).slice(0, 1).map(([type, media]) => media.schema !== undefined && <SchemaView key={type} document={document} schema={media.schema} />)}
        </div>
      ))}
      <ul className="problems">
        {all.filter(({ status }) => !isGood(status)).map(({ status, answer }) => (
          <li key={status}>
            <strong>{status}</strong> <span className="muted">{answer?.description}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
