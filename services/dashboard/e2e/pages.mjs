// Every page, and how to tell that it is there. `issue`, `project`, `release`, `incident` and the others are of the system that is looked at.
const press = (...keys) => async (page) => { for (const key of keys) await page.keyboard.press(key); };
const dialog = (...keys) => async (page) => {
  await press(...keys)(page);
  await page.getByRole("dialog").waitFor();
};

const opens = (role, name) => async (page) => {
  await page.getByRole(role, { name }).click();
  await page.getByRole("dialog").waitFor();
};

/** Those of on-call. */
const oncall = ({ incident, schedule, policy }) => [
  { name: "incidents", path: "/incidents", ready: ".incidentrow" },
  { name: "incidents-all", path: "/incidents?state=all", ready: ".incidentrow" },
  { name: "incident", path: `/incidents/${incident}`, ready: ".told" },
  { name: "incident-more", path: `/incidents/${incident}`, ready: ".told", act: async (page) => { await page.getByRole("button", { name: "More", exact: true }).click(); await page.getByRole("menu").waitFor(); } },
  { name: "incident-reassign", path: `/incidents/${incident}`, ready: ".told", act: opens("button", "Reassign") },
  { name: "on-call", path: "/on-call", ready: ".oncallnow .person" },
  { name: "schedule", path: `/on-call/schedules/${schedule}`, ready: ".calbar" },
  { name: "schedule-week", path: `/on-call/schedules/${schedule}?view=week`, ready: ".calbar", act: async (page) => { await page.getByText("Shifts as a list").click(); } },
  { name: "schedule-override", path: `/on-call/schedules/${schedule}`, ready: ".calbar", act: opens("button", "New override") },
  { name: "schedule-swap", path: `/on-call/schedules/${schedule}`, ready: ".calbar", act: opens("button", "Who takes my shift?") },
  { name: "schedule-import", path: `/on-call/schedules/${schedule}`, ready: ".calbar", act: opens("button", "Import") },
  { name: "schedule-subscribe", path: `/on-call/schedules/${schedule}`, ready: ".calbar", act: async (page) => { await opens("button", "Import")(page); await page.getByRole("button", { name: "Subscribe to an address" }).click(); } },
  { name: "schedule-edit", path: `/on-call/schedules/${schedule}/edit`, ready: ".turns", act: async (page) => { await page.getByRole("button", { name: /^(Only at certain hours|Add hours)$/ }).first().click(); await page.getByText("Only for a time").first().click(); } },
  { name: "policies", path: "/on-call?tab=policies", ready: ".ladder" },
  { name: "policy-edit", path: `/on-call/policies/${policy}/edit`, ready: ".formpart" },
  { name: "rules", path: "/on-call?tab=rules", ready: ".tabpanel .rows li" },
  { name: "rule-edit", path: "/on-call?tab=rules", ready: ".tabpanel .rows li", act: opens("button", "Edit rule 1") },
  { name: "sources", path: "/on-call?tab=sources", ready: ".tabpanel .rows li" },
  { name: "source-new", path: "/on-call?tab=sources", ready: ".tabpanel .rows li", act: opens("button", "New alert source") },
  { name: "silences", path: "/on-call?tab=silences", ready: ".tabpanel .rows li" },
  { name: "silence-new", path: "/on-call?tab=silences", ready: ".tabpanel .rows li", act: async (page) => { await opens("button", "New silence")(page); await page.getByRole("button", { name: "Add a label" }).click(); await page.getByRole("button", { name: "Only at certain hours of the week" }).click(); } },
  { name: "metrics", path: "/on-call?tab=metrics", ready: ".numbers" },
  { name: "account-oncall", path: "/account?tab=oncall", ready: ".panel .pad, .rows li" },
];

export const pages = ({ issue, project, name, release, ...others }) => [
  { name: "overview", path: "/", ready: ".top li, .empty" },
  { name: "issues", path: "/issues", ready: ".issuerow" },
  { name: "issues-search", path: "/issues", ready: ".issuerow", act: async (page) => { await page.getByRole("combobox").click(); await page.keyboard.type("declined level:"); await page.getByRole("option").first().waitFor(); } },
  { name: "issues-complaint", path: "/issues?query=level%3Aerror%20colour%3Ared", ready: ".complaint" },
  { name: "issues-bulk", path: "/issues", ready: ".issuerow", act: press("j", "x", "j", "x", "j") },
  { name: "issues-assign", path: "/issues", ready: ".issuerow", act: dialog("j", "a") },
  { name: "issues-save", path: "/issues?query=level%3Aerror", ready: ".issuerow", act: async (page) => { await page.getByRole("button", { name: "Saved" }).click(); await opens("menuitem", "Save this search")(page); } },
  { name: "issues-keys", path: "/issues", ready: ".issuerow", act: dialog("?") },
  { name: "switcher", path: "/issues", ready: ".issuerow", act: async (page) => { await page.locator(".switcher:visible").click(); await page.getByRole("menu").waitFor(); } },
  { name: "menu", path: "/issues", ready: ".issuerow", act: async (page) => { const button = page.getByRole("button", { name: "Menu", exact: true }); if (await button.isVisible()) await button.click(); await page.getByRole("navigation", { name: "Main" }).waitFor(); await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished))); } },
  { name: "issue", path: `/issues/${issue}`, ready: ".frames, .message" },
  { name: "issue-events", path: `/issues/${issue}?tab=events`, ready: "table" },
  { name: "issue-activity", path: `/issues/${issue}?tab=activity`, ready: ".commentform, .activity" },
  { name: "issue-notifications", path: `/issues/${issue}?tab=notifications`, ready: "table, .issuemain .empty" },
  { name: "issue-grouping", path: `/issues/${issue}?tab=grouping`, ready: ".variant" },
  ...oncall(others),
  { name: "projects", path: "/projects", ready: ".cards li" },
  { name: "project-new", path: "/projects/new", ready: "form" },
  { name: "project-setup", path: `/projects/${project}?tab=setup`, ready: ".platforms" },
  { name: "project-keys", path: `/projects/${project}?tab=keys`, ready: ".rows" },
  { name: "project-destinations", path: `/projects/${project}?tab=destinations`, ready: ".rows, .tabpanel .empty" },
  { name: "project-ownership", path: `/projects/${project}?tab=ownership`, ready: ".tabpanel form", act: async (page) => { await page.getByLabel("File", { exact: true }).fill("src/cart.py"); await page.getByRole("button", { name: "Try", exact: true }).click(); await page.locator(".trial").waitFor(); await page.getByRole("button", { name: "Add a rule" }).click(); } },
  { name: "project-filters", path: `/projects/${project}?tab=filters`, ready: "form" },
  { name: "project-scrubbing", path: `/projects/${project}?tab=scrubbing`, ready: "form" },
  { name: "project-grouping", path: `/projects/${project}?tab=grouping`, ready: "form", act: async (page) => { await page.getByRole("button", { name: "Try", exact: true }).click(); await page.locator(".trial").waitFor(); } },
  { name: "project-retention", path: `/projects/${project}?tab=retention`, ready: "form" },
  { name: "project-general", path: `/projects/${project}`, ready: "form" },
  { name: "releases", path: "/releases", ready: "table, .empty" },
  ...(release === undefined ? [] : [{ name: "release", path: `/releases/${project}/${encodeURIComponent(release)}`, ready: ".numbers, .empty" }]),
  { name: "notifications", path: "/notifications", ready: "table, .empty" },
  { name: "admin-teams", path: "/admin", ready: ".rows, .tabpanel .empty" },
  { name: "admin-people", path: "/admin?tab=people", ready: "table" },
  { name: "admin-invitations", path: "/admin?tab=invitations", ready: ".rows, .tabpanel .empty" },
  { name: "admin-tokens", path: "/admin?tab=tokens", ready: ".rows" },
  { name: "admin-audit", path: "/admin?tab=audit", ready: "table" },
  { name: "admin-outcomes", path: `/admin?tab=outcomes&project=${encodeURIComponent(name)}`, ready: "table" },
  { name: "admin-storage", path: "/admin?tab=storage", ready: "table" },
  { name: "admin-dead", path: "/admin?tab=dead", ready: ".tabpanel .empty, .rows li" },
  { name: "account", path: "/account", ready: ".rows" },
  { name: "api", path: "/docs/api", ready: ".apidocs details", act: async (page) => { await page.locator("#list_outcomes > summary").click(); await page.locator(".operation .try").waitFor(); } },
  { name: "not-found", path: "/nothing/here", ready: ".empty" },
];

/** Those before the door. */
export const doors = ({ setup, invitation, answer, share }) => [
  { name: "signin", path: "/signin", ready: "form" },
  { name: "setup", path: setup, ready: "form" },
  { name: "invite", path: invitation, ready: "form" },
  { name: "reset", path: "/reset?token=example", ready: "form" },
  { name: "share", path: share, ready: ".shared .issuehead" },
  ...(answer === undefined ? [] : [{ name: "answer", path: answer, ready: "form" }]),
];

/** Goes there, waits until everything is, and does what is to be done. */
export async function open(page, spec) {
  await page.goto(spec.path);
  await page.waitForSelector(spec.ready);
  // What is still loading says so.
  await page.locator(".skeleton, [aria-busy=true]:not(button)").first().waitFor({ state: "detached" });
  await spec.act?.(page);
}
