import { accessTo, useSession } from "../../api/session.ts";
import { useTitle } from "../../lib/hooks.ts";
import { Page } from "../../ui/kit.tsx";
import { Tabs, type TabSpec } from "../../ui/tabs.tsx";
import { Audit } from "./audit.tsx";
import { DeadLetters } from "./dead.tsx";
import { Invitations, People } from "./people.tsx";
import { Outcomes } from "./outcomes.tsx";
import { Storage } from "./storage.tsx";
import { Teams } from "./teams.tsx";
import { Tokens } from "./tokens.tsx";

export default function Admin() {
  useTitle("Admin");
  const { admin } = accessTo(useSession(), null);
  const tabs: TabSpec[] = [
    { id: "teams", label: "Teams", content: () => <Teams admin={admin} /> },
    { id: "people", label: "People", content: () => <People admin={admin} /> },
    { id: "invitations", label: "Invitations", content: () => <Invitations /> },
    { id: "tokens", label: "API tokens", content: () => <Tokens admin={admin} /> },
    { id: "audit", label: "Audit log", content: () => <Audit /> },
    { id: "outcomes", label: "Outcomes", content: () => <Outcomes admin={admin} /> },
    { id: "storage", label: "Storage", content: () => <Storage /> },
    ...(admin ? [{ id: "dead", label: "Dead letters", content: () => <DeadLetters /> }] : []),
  ];
  return (
    <Page title="Admin">
      <Tabs label="Admin" tabs={tabs} />
    </Page>
  );
}
