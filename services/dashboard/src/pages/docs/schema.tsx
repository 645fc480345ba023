import { useState } from "react";
import { inWords, named, nameOf, type OpenApi, type Schema } from "../../api/openapi.ts";

/** The fields of a schema as a table; schemas that it names open in it. */
export function SchemaView({ document, schema, depth = 0 }: { document: OpenApi; schema: Schema; depth?: number }) {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    const target = document.components.schemas[name];
    return target === undefined ? <code>{name}</code> : <SchemaView document={document} schema={target} depth={depth} />;
  }
  const fields = Object.entries(schema.properties ?? {});
  return (
    <div className="schema">
      {schema.description !== undefined && <p className="muted">{schema.description}</p>}
      {fields.length === 0 && (
        <p>
          <code>{inWords(schema)}</code> <Named document={document} schema={schema} depth={depth} />
        </p>
      )}
      {fields.length > 0 && (
        <dl>
          {fields.map(([name, field]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
                {schema.required?.includes(name) !== true && <span className="muted"> optional</span>}
              </dt>
              <dd>
                <code className="muted">{inWords(field)}</code> {typeof field !== "boolean" && field.description}
                <Named document={document} schema={field} depth={depth} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** What a schema names, each behind a button; names end somewhere, recursion does not. */
function Named({ document, schema, depth }: { document: OpenApi; schema: Schema | boolean; depth: number }) {
  const [open, setOpen] = useState<string | null>(null);
  const names = named(schema).filter((name) => document.components.schemas[name] !== undefined);
  const target = open === null ? undefined : document.components.schemas[open];
  return (
    <>
      {names.map((name) => (
        <button key={name} type="button" className="schemaname" aria-expanded={open === name} onClick={() => setOpen(open === name ? null : name)}>
          {name}
        </button>
      ))}
      {target !== undefined && <SchemaView document={document} schema={target} depth={depth + 1} />}
    </>
  );
}
