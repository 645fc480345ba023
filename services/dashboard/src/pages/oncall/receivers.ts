/** What to paste into another tool so that its alerts come here. */
import type { AlertSource, AlertSourceKind } from "../../api/types.ts";

export const SOURCE_KINDS = [
  ["alertmanager", "Alertmanager or Grafana"],
  ["pagerduty", "What speaks PagerDuty's Events API"],
  ["generic", "Anything that can send JSON"],
] as const satisfies readonly (readonly [AlertSourceKind, string])[];

export const kindName = (kind: AlertSourceKind): string => SOURCE_KINDS.find(([known]) => known === kind)?.[1] ?? kind;

interface Step { title: string; code: string }

const alertmanager = (url: string): Step[] => [
  { title: "alertmanager.yml", code: `receivers:\n  - name: bugle\n    webhook_configs:\n      - url: ${url}\n        send_resolved: true\n        max_alerts: 500\n\nroute:\n  receiver: bugle` },
  { title: "In Grafana: a contact point of the kind Webhook, with this URL", code: url },
];

const pagerduty = (url: string, key: string): Step[] => [
  { title: "Where the address can be chosen: this one, with any routing key", code: url },
  { title: "Where the host and the routing key can be chosen: this key, and this address", code: `${key}\n${url.replace(/\/api\/v1\/alerts\/.*$/, "/v2/enqueue")}` },
  { title: "Try it", code: `curl ${url} -H 'Content-Type: application/json' \\\n  -d '{"routing_key": "${key}", "event_action": "trigger", "dedup_key": "try",\n       "payload": {"summary": "Hello, Bugle", "source": "me", "severity": "warning"}}'` },
];

const generic = (url: string): Step[] => [
  { title: "It fires", code: `curl ${url} -H 'Content-Type: application/json' \\\n  -d '{"title": "Backup failed", "key": "backup db1", "priority": "high", "labels": {"host": "db1"}}'` },
  { title: "It is over", code: `curl ${url} -H 'Content-Type: application/json' \\\n  -d '{"key": "backup db1", "status": "resolved"}'` },
];

/** How a tool is set up, with the key that a source has just been given; nothing without one. */
export function receiver({ kind, url, key }: Pick<AlertSource, "kind" | "url" | "key">): Step[] {
  if (url === undefined || key === undefined) return [];
  switch (kind) {
    case "alertmanager": return alertmanager(url);
    case "pagerduty": return pagerduty(url, key);
    default: return generic(url);
  }
}
