/** What to paste into an app so that it reports here. Sentry's own SDKs do the work: Bugle speaks their protocol. */

export interface Step { title: string; code: string }
export interface Snippet { id: string; name: string; steps: (dsn: string) => Step[] }

/** What Maven and Gradle get: they take no "newest of 8" that leaves out test releases. */
const JAVA = "8.63.0";

const py = (dsn: string): string => `sentry_sdk.init(
    dsn="${dsn}",
    environment="production",
    release="my-app@1.0.0",
)`;

const js = (dsn: string, first = ""): string => `Sentry.init({${first}
  dsn: "${dsn}",
  environment: "production",
  release: "my-app@1.0.0",
});`;

/** The parts of a DSN that plain HTTP needs. */
export function parts(dsn: string): { key: string; store: string } {
  try {
    const url = new URL(dsn);
    const path = url.pathname.replace(/\/$/, "");
    const cut = path.lastIndexOf("/");
    return { key: url.username, store: `${url.protocol}//${url.host}${path.slice(0, cut)}/api/${path.slice(cut + 1)}/store/` };
  } catch {
    return { key: "<key>", store: "<server>/api/<project>/store/" };
  }
}

const curl = (dsn: string): string => {
  const { key, store } = parts(dsn);
  return `curl ${store} \\
  -H "X-Sentry-Auth: Sentry sentry_version=7, sentry_key=${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"level":"error","platform":"other","exception":{"values":[{"type":"FirstError","value":"Hello, Bugle"}]}}'`;
};

const gradle = (artifact: string, note = ""): Step => ({ title: "Gradle: build.gradle", code: `dependencies {${note === "" ? "" : `\n    // ${note}`}\n    implementation 'io.sentry:${artifact}:${JAVA}'\n}` });
const maven = (artifact: string, note = ""): Step => ({
  title: "Or Maven: pom.xml, among the dependencies",
  code: `${note === "" ? "" : `<!-- ${note} -->\n`}<dependency>
    <groupId>io.sentry</groupId>
    <artifactId>${artifact}</artifactId>
    <version>${JAVA}</version>
</dependency>`,
});
const SPRING = "Of Spring Boot 3. Of 4: sentry-spring-boot-4-starter, of 2: sentry-spring-boot-starter.";

const laravel = `<?php

use Illuminate\\Foundation\\Application;
use Illuminate\\Foundation\\Configuration\\Exceptions;
use Illuminate\\Foundation\\Configuration\\Middleware;
use Sentry\\Laravel\\Integration;

return Application::configure(basePath: dirname(__DIR__))
    ->withRouting(
        web: __DIR__.'/../routes/web.php',
        commands: __DIR__.'/../routes/console.php',
        health: '/up',
    )
    ->withMiddleware(function (Middleware $middleware) {
        // What is here stays.
    })
    ->withExceptions(function (Exceptions $exceptions) {
        Integration::handles($exceptions);
    })->create();`;

const spring = `package com.example.demo; // that of your application

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
class BoomController {
    @GetMapping("/boom")
    String boom() {
        throw new IllegalStateException("Hello, Bugle");
    }
}`;

const java = (dsn: string): string => `import io.sentry.Sentry;

public class Main {
    public static void main(String[] args) {
        Sentry.init(options -> {
            options.setDsn("${dsn}");
            options.setEnvironment("production");
            options.setRelease("my-app@1.0.0");
        });

        // Tries it; take it out afterwards.
        throw new IllegalStateException("Hello, Bugle");
    }
}`;

const express = `import * as Sentry from "@sentry/node";
import express from "express";

const app = express();

// Your routes. This one tries it.
app.get("/boom", () => {
  throw new Error("Hello, Bugle");
});

// After all routes, before other handlers of errors.
Sentry.setupExpressErrorHandler(app);

app.listen(3000);`;

const react = `import "./instrument"; // before everything else
import * as Sentry from "@sentry/react";
import { createRoot } from "react-dom/client";
import App from "./App";

// Before React 19 createRoot takes no such options: leave them out.
createRoot(document.getElementById("root")!, {
  onUncaughtError: Sentry.reactErrorHandler(),
  onCaughtError: Sentry.reactErrorHandler(),
  onRecoverableError: Sentry.reactErrorHandler(),
}).render(<App />);`;

const angular = (dsn: string): string => `import { bootstrapApplication } from "@angular/platform-browser";
import * as Sentry from "@sentry/angular";
import { App } from "./app/app"; // before Angular 20: AppComponent from "./app/app.component"
import { appConfig } from "./app/app.config";

${js(dsn)}

bootstrapApplication(App, appConfig).catch((error) => console.error(error));`;

const angularConfig = `import { ErrorHandler, type ApplicationConfig } from "@angular/core";
import * as Sentry from "@sentry/angular";

export const appConfig: ApplicationConfig = {
  providers: [
    // What is here stays.
    { provide: ErrorHandler, useValue: Sentry.createErrorHandler() },
  ],
};`;

const vue = (dsn: string): string => `import { createApp } from "vue";
import * as Sentry from "@sentry/vue";
import App from "./App.vue";

const app = createApp(App);

${js(dsn, "\n  app,")}

app.mount("#app");`;

const flutter = (dsn: string): string => `import 'package:flutter/material.dart';
import 'package:sentry_flutter/sentry_flutter.dart';

Future<void> main() async {
  await SentryFlutter.init(
    (options) {
      options.dsn = '${dsn}';
      options.environment = 'production';
      options.release = 'my-app@1.0.0';
    },
    // MyApp is your app.
    appRunner: () => runApp(const MyApp()),
  );
}`;

const rust = (dsn: string): string => `fn main() {
    // Kept until the end of main: then it sends what is left.
    // With Tokio, before the runtime begins: not under #[tokio::main].
    let _guard = sentry::init(
        sentry::ClientOptions::new()
            .dsn("${dsn}")
            .environment("production")
            .maybe_release(sentry::release_name!()),
    );

    // Tries it; take it out afterwards.
    panic!("Hello, Bugle");
}`;

const go = (dsn: string): string => `package main

import (
	"errors"
	"log"
	"time"

	"github.com/getsentry/sentry-go"
)

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn:         "${dsn}",
		Environment: "production",
		Release:     "my-app@1.0.0",
	})
	if err != nil {
		log.Fatal(err)
	}
	// What is left is sent before the program ends.
	defer sentry.Flush(2 * time.Second)

	// Tries it; take it out afterwards.
	sentry.CaptureException(errors.New("Hello, Bugle"))
}`;

const install = (code: string): Step => ({ title: "Install", code });

/** The newest major versions of the SDKs, as of their lists of packages in November 2026. */
export const SNIPPETS: Snippet[] = [
  {
    id: "django", name: "Django",
    steps: (dsn) => [
      install('pip install --upgrade "sentry-sdk[django]"'),
      { title: "settings.py, at the top", code: `import sentry_sdk\n\n${py(dsn)}` },
      { title: "Try it", code: `python manage.py shell -c "raise RuntimeError('Hello, Bugle')"` },
    ],
  },
  {
    id: "flask", name: "Flask",
    steps: (dsn) => [
      install('pip install --upgrade "sentry-sdk[flask]"'),
      { title: "app.py: before Flask(…)", code: `import sentry_sdk\nfrom flask import Flask\n\n${py(dsn)}\n\napp = Flask(__name__)` },
      { title: "Below it, to try it: flask run, then open /boom", code: '@app.get("/boom")\ndef boom():\n    return 1 / 0' },
    ],
  },
  {
    id: "fastapi", name: "FastAPI",
    steps: (dsn) => [
      install('pip install --upgrade "sentry-sdk[fastapi]"'),
      { title: "main.py: before FastAPI(…)", code: `import sentry_sdk\nfrom fastapi import FastAPI\n\n${py(dsn)}\n\napp = FastAPI()` },
      { title: "Below it, to try it: uvicorn main:app, then open /boom", code: '@app.get("/boom")\nasync def boom():\n    return 1 / 0' },
    ],
  },
  {
    id: "laravel", name: "Laravel",
    steps: (dsn) => [
      install("composer require sentry/sentry-laravel"),
      { title: "bootstrap/app.php", code: laravel },
      { title: ".env", code: `SENTRY_LARAVEL_DSN=${dsn}\nSENTRY_ENVIRONMENT=production\nSENTRY_RELEASE=my-app@1.0.0` },
      { title: "Try it", code: "php artisan sentry:test" },
    ],
  },
  {
    id: "spring", name: "Spring Boot",
    steps: (dsn) => [
      gradle("sentry-spring-boot-starter-jakarta", SPRING),
      maven("sentry-spring-boot-starter-jakarta", SPRING),
      { title: "src/main/resources/application.properties", code: `sentry.dsn=${dsn}\nsentry.environment=production\nsentry.release=my-app@1.0.0` },
      { title: "BoomController.java, to try it: open /boom", code: spring },
    ],
  },
  { id: "java", name: "Java", steps: (dsn) => [gradle("sentry"), maven("sentry"), { title: "Main.java", code: java(dsn) }] },
  {
    id: "node", name: "Node / Express",
    steps: (dsn) => [
      install("npm install @sentry/node"),
      { title: "instrument.mjs", code: `import * as Sentry from "@sentry/node";\n\n${js(dsn)}` },
      { title: "app.mjs", code: express },
      { title: "Run it", code: "node --import ./instrument.mjs app.mjs" },
      { title: "Try it", code: "curl http://localhost:3000/boom" },
    ],
  },
  {
    id: "react", name: "React",
    steps: (dsn) => [
      install("npm install @sentry/react"),
      { title: "src/instrument.ts", code: `import * as Sentry from "@sentry/react";\n\n${js(dsn)}` },
      { title: "src/main.tsx", code: react },
      { title: "In App.tsx, to try it", code: '<button onClick={() => { throw new Error("Hello, Bugle"); }}>Break</button>' },
    ],
  },
  {
    id: "angular", name: "Angular",
    steps: (dsn) => [
      install("npm install @sentry/angular"),
      { title: "src/main.ts", code: angular(dsn) },
      { title: "src/app/app.config.ts", code: angularConfig },
      { title: "In the class of src/app/app.ts, to try it", code: 'ngOnInit() { throw new Error("Hello, Bugle"); }' },
    ],
  },
  {
    id: "vue", name: "Vue",
    steps: (dsn) => [
      install("npm install @sentry/vue"),
      { title: "src/main.ts", code: vue(dsn) },
      { title: "In <script setup> of App.vue, to try it", code: 'import { onMounted } from "vue";\n\nonMounted(() => { throw new Error("Hello, Bugle"); });' },
    ],
  },
  {
    id: "flutter", name: "Flutter",
    steps: (dsn) => [
      install("flutter pub add sentry_flutter"),
      { title: "lib/main.dart", code: flutter(dsn) },
      { title: "In a widget, to try it", code: "TextButton(\n  onPressed: () => throw StateError('Hello, Bugle'),\n  child: const Text('Break'),\n)" },
    ],
  },
  { id: "rust", name: "Rust", steps: (dsn) => [install("cargo add sentry"), { title: "src/main.rs", code: rust(dsn) }, { title: "Try it", code: "cargo run" }] },
  { id: "go", name: "Go", steps: (dsn) => [install("go get github.com/getsentry/sentry-go"), { title: "main.go", code: go(dsn) }, { title: "Try it", code: "go run ." }] },
  { id: "curl", name: "curl", steps: (dsn) => [{ title: "Send an error", code: curl(dsn) }] },
];
