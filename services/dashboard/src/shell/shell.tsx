import { Suspense, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Link, NavigationType, NavLink, Outlet, useLocation, useNavigate, useNavigationType } from "react-router-dom";
import { useProjects } from "../api/queries.ts";
import { useSession, useSignOut } from "../api/session.ts";
import { initials } from "../lib/format.ts";
import { useFilter, useKeepProject } from "../lib/hooks.ts";
import { applyTheme, useTheme, type Theme } from "../lib/theme.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { IconButton } from "../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/menu.tsx";
import { useToast } from "../ui/toasts.tsx";
import { ErrorBoundary } from "./boundary.tsx";
import { Brand } from "./brand.tsx";
import { Offline } from "./offline.tsx";
import { scrolled } from "./place.ts";

const PLACES: [string, string, IconName][] = [
  ["/", "Overview", "overview"],
  ["/issues", "Issues", "issues"],
  ["/incidents", "Incidents", "incidents"],
  ["/on-call", "On call", "oncall"],
  ["/projects", "Projects", "projects"],
  ["/releases", "Releases", "releases"],
  ["/notifications", "Notifications", "notifications"],
  ["/admin", "Admin", "admin"],
];

/** Which project the lists are about. It stays while one goes from list to list. */
function Switcher() {
  const projects = useProjects();
  const [chosen, choose] = useFilter("project");
  const items = projects.data ?? [];
  const current = items.find((p) => p.name === chosen || String(p.id) === chosen);
  const teams = [...new Set(items.map((p) => p.team?.name ?? ""))];
  return (
    <Menu
      trigger={
        <button type="button" className="switcher">
          <span className="sr">Project: </span>
          <span className="switchername">{current?.name ?? "All projects"}</span>
          <Icon name="down" />
        </button>
      }
    >
      <MenuItem onSelect={() => choose(null)} checked={current === undefined}>
        All projects
      </MenuItem>
      {teams.map((team) => (
        <div key={team}>
          <MenuLine />
          {team !== "" && <MenuLabel>{team}</MenuLabel>}
          {items
            .filter((p) => (p.team?.name ?? "") === team)
            .map((p) => (
              <MenuItem key={p.id} onSelect={() => choose(p.name)} checked={p.id === current?.id}>
                {p.name}
              </MenuItem>
            ))}
        </div>
      ))}
    </Menu>
  );
}

const THEMES: [Theme, string, IconName][] = [
  ["system", "Like the system", "screen"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

function Me() {
  const session = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const { theme } = useTheme();
  const toast = useToast();
  const name = session.kind === "user" ? session.user.name : "API token";
  return (
    <Menu
      trigger={
        <button type="button" className="me">
          <span className="sr">Account: </span>
          <span className="avatar" aria-hidden="true">
            {session.kind === "user" ? initials(name) : <Icon name="user" />}
          </span>
          <span className="mename">{name}</span>
          <Icon name="dots" />
        </button>
      }
    >
      <MenuLabel>Theme</MenuLabel>
      {THEMES.map(([id, label, icon]) => (
        <MenuItem key={id} icon={icon} checked={theme === id} onSelect={() => applyTheme(id)}>
          {label}
        </MenuItem>
      ))}
      <MenuLine />
      {session.kind === "user" && (
        <MenuItem icon="account" onSelect={() => navigate("/account")}>
          Account
        </MenuItem>
      )}
      <MenuItem icon="help" onSelect={() => navigate("/docs/api")}>
        API reference
      </MenuItem>
      <MenuItem icon="out" onSelect={() => void signOut().catch(toast.failed)}>
        Sign out
      </MenuItem>
    </Menu>
  );
}

/** What is around every page. */
export function Shell({ fallback }: { fallback: ReactNode }) {
  const [open, setOpen] = useState(false);
  const { pathname, key } = useLocation();
  const isBack = useNavigationType() === NavigationType.Pop;
  const keep = useKeepProject();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  const entry = useRef(key);
  useEffect(() => {
    const keepPlace = (): void => {
      scrolled.set(entry.current, window.scrollY);
    };
    window.addEventListener("scroll", keepPlace, { passive: true });
    return () => window.removeEventListener("scroll", keepPlace);
  }, []);
  // Together with the new page: the browser scrolls as soon as that is shorter, and this is not where the old one was left.
  useLayoutEffect(() => {
    entry.current = key;
    if (before.current === pathname) return;
    before.current = pathname;
    setOpen(false);
    const left = scrolled.get(key);
    // A new page is read from its top, by eyes and by screen readers; a filter is no new page. Whoever goes back goes on where they were.
    if (isBack && left !== undefined) window.scrollTo(0, left);
    if (!isBack && !pathname.includes("/events/")) window.scrollTo(0, 0);
    if (!pathname.includes("/events/")) main.current?.focus({ preventScroll: true });
  }, [pathname, key, isBack]);
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent): void => {
      if (event.key === "Escape") setOpen(false);
    };
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, [open]);
  return (
    <div className={`shell ${open ? "open" : ""}`}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="topbar">
        <Link to={keep("/")} aria-label="Bugle: overview">
          <Brand />
        </Link>
        <Switcher />
        <IconButton icon={open ? "close" : "menu"} label={open ? "Close the menu" : "Menu"} aria-expanded={open} aria-controls="places" onClick={() => setOpen(!open)} />
      </header>
      <aside className="sidebar">
        <div className="sidehead">
          <Link to={keep("/")} aria-label="Bugle: overview">
            <Brand />
          </Link>
          <Switcher />
        </div>
        <nav id="places" aria-label="Main">
          {PLACES.map(([path, label, icon]) => (
            <NavLink key={path} to={keep(path)} end={path === "/"} className="place">
              <Icon name={icon} />
              <span>{label}</span>
            </NavLink>
          ))}
        </nav>
        <Me />
      </aside>
      <button type="button" className="scrim" aria-hidden="true" tabIndex={-1} onClick={() => setOpen(false)} />
      <main id="main" ref={main} tabIndex={-1}>
        <Offline />
        <ErrorBoundary key={pathname.replace(/\/events\/.*/, "")}>
          <Suspense fallback={fallback}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}
