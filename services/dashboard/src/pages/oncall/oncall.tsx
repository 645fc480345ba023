import { useTitle } from "../../lib/hooks.ts";
import { Page } from "../../ui/kit.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Metrics } from "./metrics.tsx";
import { Policies } from "./policies.tsx";
import { Rules } from "./rules.tsx";
import { Schedules } from "./schedules.tsx";
import { Silences } from "./silences.tsx";
import { Sources } from "./sources.tsx";

export default function OnCall() {
  useTitle("On call");
  return (
    <Page title="On call" lead="Who is paged for an incident: a routing rule picks the policy, the policy asks schedules and people, one after the other.">
      <Tabs
        label="On call"
        tabs={[
          { id: "schedules", label: "Schedules", content: () => <Schedules /> },
          { id: "policies", label: "Escalation policies", content: () => <Policies /> },
          { id: "rules", label: "Routing rules", content: () => <Rules /> },
          { id: "sources", label: "Alert sources", content: () => <Sources /> },
          { id: "silences", label: "Silences", content: () => <Silences /> },
          { id: "metrics", label: "Metrics", content: () => <Metrics /> },
        ]}
      />
    </Page>
  );
}
