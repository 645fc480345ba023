import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, type ReactNode } from "react";
import { BrowserRouter, Navigate, Route, Routes, useLocation } from "react-router-dom";
import { Problem, sessionEnd } from "./api/client.ts";
import { useSessionQuery } from "./api/session.ts";
import { ErrorBoundary } from "./shell/boundary.tsx";
import { Shell } from "./shell/shell.tsx";
import { Failure, Skeleton } from "./ui/kit.tsx";
import { ToastProvider } from "./ui/toasts.tsx";

const SignIn = lazy(() => import("./pages/signin.tsx"));
const Setup = lazy(() => import("./pages/setup.tsx"));
const Invite = lazy(() => import("./pages/invite.tsx"));
const Reset = lazy(() => import("./pages/reset.tsx"));
const loadOverview = () => import("./pages/overview/overview.tsx");
const loadIssues = () => import("./pages/issues/issues.tsx");
const loadIssue = () => import("./pages/issue/issue.tsx");
const Overview = lazy(loadOverview);
const Issues = lazy(loadIssues);
const IssuePage = lazy(loadIssue);
const Incidents = lazy(() => import("./pages/incidents/incidents.tsx"));
const IncidentPage = lazy(() => import("./pages/incidents/incident.tsx"));
const OnCall = lazy(() => import("./pages/oncall/oncall.tsx"));
const SchedulePage = lazy(() => import("./pages/oncall/schedule.tsx"));
const ScheduleForm = lazy(() => import("./pages/oncall/scheduleform.tsx"));
const PolicyForm = lazy(() => import("./pages/oncall/policyform.tsx"));
const Projects = lazy(() => import("./pages/projects/projects.tsx"));
const NewProject = lazy(() => import("./pages/projects/new.tsx"));
const ProjectPage = lazy(() => import("./pages/projects/project.tsx"));
const Releases = lazy(() => import("./pages/releases.tsx"));
const ReleasePage = lazy(() => import("./pages/release.tsx"));
const Notifications = lazy(() => import("./pages/notifications.tsx"));
const Admin = lazy(() => import("./pages/admin/admin.tsx"));
const ApiDocs = lazy(() => import("./pages/docs/api.tsx"));
const Share = lazy(() => import("./pages/share.tsx"));
const Account = lazy(() => import("./pages/account/account.tsx"));

// The pages that people open most need not wait for the answer who they are.
const { pathname } = window.location;
if (pathname === "/") void loadOverview();
else if (pathname === "/issues") void loadIssues();
else if (pathname.startsWith("/issues/")) void loadIssue();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refused is not asked again; what it could not answer is, for as long as it takes.
      retry: (count, error) => (error instanceof Problem && !error.offline ? false : count < 3),
      retryDelay: (attempt) => Math.min(1000 * 2 ** attempt, 10_000),
      refetchOnReconnect: true,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

sessionEnd.tell = () => void client.invalidateQueries({ queryKey: ["session"] });

/** The pages of those who are signed in; others are shown the door, which leads back to where they wanted to go. */
function Inside({ children }: { children: ReactNode }) {
  const session = useSessionQuery();
  const { pathname, search } = useLocation();
  if (session.isError) return <Failure whole error={session.error} retry={() => void session.refetch()} />;
  if (session.data === undefined) return <main className="door" aria-busy="true" aria-label="Loading" />;
  if (session.data.kind === "none") return <Navigate to={`/signin?next=${encodeURIComponent(pathname + search)}`} replace />;
  return <>{children}</>;
}

const Waiting = <Skeleton rows={8} />;

export function App() {
  return (
    <ErrorBoundary>
      <QueryClientProvider client={client}>
        <ToastProvider>
          <BrowserRouter future={{ v7_startTransition: true, v7_relativeSplatPath: true }}>
            <Suspense fallback={<main className="door" aria-busy="true" aria-label="Loading" />}>
              <Routes>
                <Route path="/signin" element={<SignIn />} />
                <Route path="/setup" element={<Setup />} />
                <Route path="/invite" element={<Invite />} />
                <Route path="/reset" element={<Reset />} />
                <Route path="/share/:token" element={<Share />} />
                <Route
                  element={
                    <Inside>
                      <Shell fallback={Waiting} />
                    </Inside>
                  }
                >
                  <Route index element={<Overview />} />
                  <Route path="/issues" element={<Issues />} />
                  <Route path="/issues/:id" element={<IssuePage />} />
                  <Route path="/issues/:id/events/:event" element={<IssuePage />} />
                  <Route path="/incidents" element={<Incidents />} />
                  <Route path="/incidents/:id" element={<IncidentPage />} />
                  <Route path="/on-call" element={<OnCall />} />
                  <Route path="/on-call/schedules/new" element={<ScheduleForm />} />
                  <Route path="/on-call/schedules/:id" element={<SchedulePage />} />
                  <Route path="/on-call/schedules/:id/edit" element={<ScheduleForm />} />
                  <Route path="/on-call/policies/new" element={<PolicyForm />} />
                  <Route path="/on-call/policies/:id/edit" element={<PolicyForm />} />
                  <Route path="/projects" element={<Projects />} />
                  <Route path="/projects/new" element={<NewProject />} />
                  <Route path="/projects/:id" element={<ProjectPage />} />
                  <Route path="/releases" element={<Releases />} />
                  <Route path="/releases/:project/:version" element={<ReleasePage />} />
                  <Route path="/notifications" element={<Notifications />} />
                  <Route path="/admin" element={<Admin />} />
                  <Route path="/account" element={<Account />} />
                  <Route path="/docs/api" element={<ApiDocs />} />
                  <Route path="*" element={<Failure whole error={new Problem(404, "not_found", "no such page")} />} />
                </Route>
              </Routes>
            </Suspense>
          </BrowserRouter>
        </ToastProvider>
      </QueryClientProvider>
    </ErrorBoundary>
  );
}
