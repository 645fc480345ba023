/** What to paste into an app so that it reports here. Sentry's own SDKs do the work: Bugle speaks their protocol. */

export interface Snippet { id: string; name: string; steps: { title: string; code: string }[] }

const py = (dsn: string, extra = ""): string => `import sentry_sdk

sentry_sdk.init(
    dsn="${dsn}",
    environment="production",
    release="my-app@1.0.0",${extra}
)`;

const js = (dsn: string, from: string, extra = ""): string => `import * as Sentry from "${from}";

Sentry.init({
  dsn: "${dsn}",
  environment: "production",
  release: "my-app@1.0.0",${extra}
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

export const SNIPPETS: { id: string; name: string; steps: (dsn: string) => { title: string; code: string }[] }[] = [
  { id: "django", name: "Django", steps: (dsn) => [{ title: "Install", code: 'pip install "sentry-sdk[django]"' }, { title: "settings.py", code: py(dsn) }, { title: "Try it", code: `python manage.py shell -c "import sentry_sdk; sentry_sdk.capture_message('Hello, Bugle', level='error')"` }] },
  { id: "flask", name: "Flask", steps: (dsn) => [{ title: "Install", code: 'pip install "sentry-sdk[flask]"' }, { title: "Before Flask(…)", code: py(dsn) }, { title: "Try it", code: '@app.get("/boom")\ndef boom():\n    return 1 / 0' }] },
  { id: "fastapi", name: "FastAPI", steps: (dsn) => [{ title: "Install", code: 'pip install "sentry-sdk[fastapi]"' }, { title: "Before FastAPI(…)", code: py(dsn) }, { title: "Try it", code: '@app.get("/boom")\nasync def boom():\n    return 1 / 0' }] },
  {
    id: "laravel", name: "Laravel",
    steps: (dsn) => [
      { title: "Install", code: "composer require sentry/sentry-laravel" },
      { title: "bootstrap/app.php", code: "use Sentry\\Laravel\\Integration;\n\n->withExceptions(function (Exceptions $exceptions) {\n    Integration::handles($exceptions);\n})" },
      { title: ".env", code: `SENTRY_LARAVEL_DSN=${dsn}\nSENTRY_RELEASE=my-app@1.0.0` },
      { title: "Try it", code: "php artisan sentry:test" },
    ],
  },
  {
    id: "java", name: "Spring / Java",
    steps: (dsn) => [
      { title: "build.gradle", code: "implementation 'io.sentry:sentry-spring-boot-starter-jakarta:8.+'" },
      { title: "application.properties", code: `sentry.dsn=${dsn}\nsentry.environment=production\nsentry.release=my-app@1.0.0` },
      { title: "Try it", code: 'try {\n    throw new IllegalStateException("Hello, Bugle");\n} catch (Exception e) {\n    Sentry.captureException(e);\n}' },
    ],
  },
  { id: "node", name: "Node / Express", steps: (dsn) => [{ title: "Install", code: "npm install @sentry/node" }, { title: "instrument.mjs, loaded first (node --import ./instrument.mjs)", code: js(dsn, "@sentry/node") }, { title: "After all routes", code: "Sentry.setupExpressErrorHandler(app);" }, { title: "Try it", code: 'app.get("/boom", () => { throw new Error("Hello, Bugle"); });' }] },
  { id: "react", name: "React", steps: (dsn) => [{ title: "Install", code: "npm install @sentry/react" }, { title: "First in main.tsx", code: js(dsn, "@sentry/react") }, { title: "Try it", code: '<button onClick={() => { throw new Error("Hello, Bugle"); }}>Break</button>' }] },
  { id: "angular", name: "Angular", steps: (dsn) => [{ title: "Install", code: "npm install @sentry/angular" }, { title: "First in main.ts", code: js(dsn, "@sentry/angular") }, { title: "app.config.ts", code: "providers: [{ provide: ErrorHandler, useValue: Sentry.createErrorHandler() }]" }, { title: "Try it", code: 'throw new Error("Hello, Bugle");' }] },
  { id: "vue", name: "Vue", steps: (dsn) => [{ title: "Install", code: "npm install @sentry/vue" }, { title: "main.ts, after createApp", code: js(dsn, "@sentry/vue", "\n  app,") }, { title: "Try it", code: 'throw new Error("Hello, Bugle");' }] },
  {
    id: "flutter", name: "Flutter",
    steps: (dsn) => [
      { title: "Install", code: "flutter pub add sentry_flutter" },
      { title: "main.dart", code: `await SentryFlutter.init(\n  (options) {\n    options.dsn = '${dsn}';\n    options.release = 'my-app@1.0.0';\n  },\n  appRunner: () => runApp(const MyApp()),\n);` },
      { title: "Try it", code: "await Sentry.captureException(StateError('Hello, Bugle'));" },
    ],
  },
  {
    id: "rust", name: "Rust",
    steps: (dsn) => [
      { title: "Install", code: "cargo add sentry" },
      { title: "main.rs, kept until the end of main", code: `let _guard = sentry::init(("${dsn}", sentry::ClientOptions {\n    release: sentry::release_name!(),\n    ..Default::default()\n}));` },
      { title: "Try it", code: 'sentry::capture_message("Hello, Bugle", sentry::Level::Error);' },
    ],
  },
  {
    id: "go", name: "Go",
    steps: (dsn) => [
      { title: "Install", code: "go get github.com/getsentry/sentry-go" },
      { title: "main.go", code: `if err := sentry.Init(sentry.ClientOptions{\n\tDsn:     "${dsn}",\n\tRelease: "my-app@1.0.0",\n}); err != nil {\n\tlog.Fatal(err)\n}\ndefer sentry.Flush(2 * time.Second)` },
      { title: "Try it", code: 'sentry.CaptureMessage("Hello, Bugle")' },
    ],
  },
  { id: "curl", name: "curl", steps: (dsn) => [{ title: "Send an error", code: curl(dsn) }] },
];
