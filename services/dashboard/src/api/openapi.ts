/** The OpenAPI document as the page of the API reads it: what `/api/v1/openapi.json` has, and no more of OpenAPI. */
import { useQuery } from "@tanstack/react-query";
import { get } from "./client.ts";

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema | boolean>;
  required?: string[];
  items?: Schema | boolean;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | boolean;
}

export interface Parameter { name: string; in: "path" | "query"; required: boolean; description: string; schema: Schema }
interface Media { schema?: Schema }
export interface Answer { $ref?: string; description?: string; content?: Record<string, Media> }

export interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Media>; "x-max-bytes"?: number };
  responses: Record<string, Answer>;
}

export interface OpenApi {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Answer> };
}

export interface Place { method: string; path: string; operation: Operation }

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The operations of a tag, by path and then as people think of methods. */
export function operationsOf(document: OpenApi, tag: string): Place[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.flatMap((method) => {
      const operation = methods[method];
      return operation?.tags.includes(tag) === true ? [{ method, path, operation }] : [];
    }),
  );
}

/** The types that a body may have, and its schema: that of JSON, where it may be JSON. */
export function bodyOf({ requestBody }: Operation): { types: string[]; schema: Schema | undefined; most: number | undefined } {
  const content = requestBody?.content ?? {};
  const types = Object.keys(content);
  return { types, schema: content[types.includes("application/json") ? "application/json" : (types[0] ?? "")]?.schema, most: requestBody?.["x-max-bytes"] };
}

/** The last part of a reference within the document. */
export const nameOf = (reference: string): string => reference.split("/").at(-1) ?? reference;

/** What a schema is in a few words, for a line of a table. */
export function inWords(schema: Schema | boolean | undefined): string {
  if (schema === undefined || typeof schema === "boolean") return "anything";
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const variants = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (variants !== undefined) return variants.map(inWords).join(schema.allOf === undefined ? " | " : " & ");
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length === 0) return "anything";
  return types.map((type) => (type === "array" ? `${inWords(schema.items)}[]` : type === "string" && schema.format !== undefined ? schema.format : type)).join(" | ");
}

/** Every schema that a schema names, itself not among them. */
export function named(schema: Schema | boolean | undefined): string[] {
  if (schema === undefined || typeof schema === "boolean") return [];
  if (schema.$ref !== undefined) return [nameOf(schema.$ref)];
  const parts = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [...new Set(parts.flatMap(named))];
}

export const useOpenApi = () => useQuery({ queryKey: ["openapi"], queryFn: ({ signal }) => get<OpenApi>("/openapi.json", { signal }), staleTime: Infinity });

/** The address of an operation below `/api/v1`; null while a value that it needs is missing. */
export function addressOf(path: string, parameters: Parameter[], values: Record<string, string>): string | null {
  const given = (parameter: Parameter): string => values[`${parameter.in} ${parameter.name}`] ?? "";
  if (parameters.some((parameter) => parameter.required && given(parameter) === "")) return null;
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(values[`path ${name}`] ?? ""));
  const query = new URLSearchParams(parameters.flatMap((p) => (p.in === "query" && given(p) !== "" ? [[p.name, given(p)]] : []))).toString();
  return query === "" ? filled : `${filled}?${query}`;
}
