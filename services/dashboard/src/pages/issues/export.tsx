import type { IssueFilter } from "../../api/queries.ts";
import { exportAddress } from "../../api/queries.ts";
import { download } from "../../api/client.ts";
import { useSession } from "../../api/session.ts";
import { Button } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { useToast } from "../../ui/toasts.tsx";

/** All that the search finds, as a file. The browser writes it while it comes; only a token's has to be fetched here. */
export function Export({ filter }: { filter: IssueFilter }) {
  const session = useSession();
  const toast = useToast();
  const keep = (format: "csv" | "ndjson"): void => {
    const { path, params, address } = exportAddress(filter, format);
    if (session.kind === "token") void download(path, `issues.${format}`, params).catch(toast.failed);
    else window.location.assign(address);
  };
  return (
    <Menu align="end" trigger={<Button icon="download">Export</Button>}>
      <MenuLabel>What the search finds</MenuLabel>
      <MenuItem onSelect={() => keep("csv")}>CSV, for a spreadsheet</MenuItem>
      <MenuItem onSelect={() => keep("ndjson")}>NDJSON, for a program</MenuItem>
    </Menu>
  );
}
