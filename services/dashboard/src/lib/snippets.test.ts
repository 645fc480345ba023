import ts from "typescript";
import { describe, expect, it } from "vitest";
import { SNIPPETS, parts, type Step } from "./snippets.ts";

const DSN = "https://0123456789abcdef0123456789abcdef@bugle.example.com/base/7";
const ALL = SNIPPETS.flatMap(({ id, steps }) => steps(DSN).map((step): [string, Step] => [`${id}: ${step.title}`, step]));

/** What a name needs above it, in the same file: by the snippet it is in. */
const NEEDS: [string, RegExp, RegExp][] = [
  ["django|flask|fastapi", /sentry_sdk\.\w/, /^import sentry_sdk$/m],
  ["flask", /\bFlask\(/, /^from flask import Flask$/m],
  ["fastapi", /\bFastAPI\(/, /^from fastapi import FastAPI$/m],
  ["laravel", /\bIntegration::/, /^use Sentry\\Laravel\\Integration;$/m],
  ["laravel", /\bApplication::/, /^use Illuminate\\Foundation\\Application;$/m],
  ["laravel", /\bExceptions \$/, /^use Illuminate\\Foundation\\Configuration\\Exceptions;$/m],
  ["laravel", /\bMiddleware \$/, /^use Illuminate\\Foundation\\Configuration\\Middleware;$/m],
  ["spring|java", /\bSentry\./, /^import io\.sentry\.Sentry;$/m],
  ["spring", /@RestController\b/, /^import org\.springframework\.web\.bind\.annotation\.RestController;$/m],
  ["spring", /@GetMapping\b/, /^import org\.springframework\.web\.bind\.annotation\.GetMapping;$/m],
  ["flutter", /\b(SentryFlutter|Sentry)\./, /^import 'package:sentry_flutter\/sentry_flutter\.dart';$/m],
  ["flutter", /\brunApp\(/, /^import 'package:flutter\/material\.dart';$/m],
  ["go", /\bsentry\.[A-Z]/, /^\t"github\.com\/getsentry\/sentry-go"$/m],
  ...["errors", "fmt", "log", "time"].map((name): [string, RegExp, RegExp] => ["go", new RegExp(`\\b${name}\\.[A-Z]`), new RegExp(`^\\t"${name}"$`, "m")]),
];

/** "Cannot find name", in its kinds. */
const UNKNOWN = new Set([2304, 2503, 2552, 2580, 2592, 18004]);

/** The compiler's own declarations are long: they are read once. */
const libraries = new Map<string, ts.SourceFile | undefined>();

/** What a file of JavaScript or TypeScript uses and neither declares nor imports, and where it is no such file at all. */
function wrongs(code: string): string[] {
  const name = "/snippet.tsx";
  const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, jsx: ts.JsxEmit.Preserve, types: [] };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, language) => {
    if (file === name) return ts.createSourceFile(file, code, language);
    if (!libraries.has(file)) libraries.set(file, read(file, language));
    return libraries.get(file);
  };
  const program = ts.createProgram([name], options, host);
  const file = program.getSourceFile(name);
  const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file).filter(({ code: kind }) => UNKNOWN.has(kind))];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

describe("snippets", () => {
  it.each(ALL)("%s imports what it uses", (title, { code }) => {
    const id = title.split(":")[0] ?? "";
    for (const [of, use, needed] of NEEDS) {
      if (of.split("|").includes(id) && use.test(code)) expect(code).toMatch(needed);
    }
  });

  it.each(ALL.filter(([, { title }]) => /^[\w./]+\.(mjs|ts|tsx)$|script setup/.test(title)))("%s is whole", (_title, { code }) => {
    expect(wrongs(code)).toEqual([]);
  }, 30_000);

  it("would see what is missing", () => {
    expect(wrongs("Sentry.setupExpressErrorHandler(app);")).toEqual(["Cannot find name 'Sentry'.", "Cannot find name 'app'."]);
    expect(wrongs("export const providers = [{ provide: ErrorHandler }];")).toEqual(["Cannot find name 'ErrorHandler'."]);
  }, 30_000);

  it("has no import that Go would refuse as unused", () => {
    const code = SNIPPETS.find(({ id }) => id === "go")?.steps(DSN).map((step) => step.code).join("\n") ?? "";
    for (const [, path = ""] of code.matchAll(/^\t"([\w./-]+)"$/gm)) expect(code).toMatch(new RegExp(`\\b${path.split("/").at(-1)?.replace(/-go$/, "") ?? ""}\\.[A-Z]`));
  });

  it.each(SNIPPETS.map((snippet) => [snippet.id, snippet] as const))("%s has the address and an error to try it with, in steps of different names", (id, { steps }) => {
    const made = steps(DSN);
    const code = made.map((step) => step.code).join("\n");
    expect(code.includes(DSN) || code.includes(parts(DSN).store)).toBe(true);
    expect(code).toMatch(id === "laravel" ? /sentry:test/ : id === "curl" ? /FirstError/ : /1 \/ 0|Hello, Bugle/);
    expect(new Set(made.map(({ title }) => title)).size).toBe(made.length);
  });

  it("sends JSON by curl", () => {
    const code = SNIPPETS.find(({ id }) => id === "curl")?.steps(DSN)[0]?.code ?? "";
    expect(JSON.parse(/-d '(.*)'$/.exec(code)?.[1] ?? "")).toMatchObject({ level: "error" });
  });
});
