import { expect, it } from "vitest";
import { addressOf, bodyOf, inWords, named, type Operation, type Parameter } from "./openapi.ts";

it("says what a schema is in a line", () => {
  expect(inWords({ type: ["string", "null"] })).toBe("string | null");
  expect(inWords({ type: "string", format: "date-time" })).toBe("date-time");
  expect(inWords({ type: "array", items: { $ref: "#/components/schemas/Issue" } })).toBe("Issue[]");
  expect(inWords({ anyOf: [{ $ref: "#/components/schemas/TeamId" }, { type: "null" }] })).toBe("TeamId | null");
  expect(inWords({ type: "string", enum: ["a", "b"] })).toBe('"a" | "b"');
  expect(inWords(true)).toBe("anything");
  expect(named({ type: "array", items: { $ref: "#/components/schemas/Issue" } })).toEqual(["Issue"]);
});

it("fills an address in, once all is there that it needs", () => {
  const parameter = (name: string, place: "path" | "query", required: boolean): Parameter => ({ name, in: place, required, description: "", schema: { type: "string" } });
  const parameters = [parameter("id", "path", true), parameter("limit", "query", false)];
  expect(addressOf("/api/v1/issues/{id}", parameters, {})).toBeNull();
  expect(addressOf("/api/v1/issues/{id}", parameters, { "path id": "a/b" })).toBe("/api/v1/issues/a%2Fb");
  expect(addressOf("/api/v1/issues/{id}", parameters, { "path id": "7", "query limit": "1" })).toBe("/api/v1/issues/7?limit=1");
});

it("takes the schema of JSON among the types of a body, and else the first", () => {
  const operation = (content: Record<string, { schema?: object }>): Operation => ({ operationId: "send", summary: "", description: "", tags: [], security: [], responses: {}, requestBody: { content, "x-max-bytes": 1024 } });
  const both = bodyOf(operation({ "text/plain": { schema: { type: "string" } }, "application/json": { schema: { type: "object" } } }));
  expect(both).toEqual({ types: ["text/plain", "application/json"], schema: { type: "object" }, most: 1024 });
  expect(bodyOf(operation({ "text/plain": { schema: { type: "string" } } })).schema).toEqual({ type: "string" });
});
