import { useState } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { call, explain, Problem } from "../../api/client.ts";
import { useSearches, useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { SavedSearch } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useStored } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { addressOf, same, searchOf, type Search } from "../../lib/saved.ts";
import { Button, Dialog, Form, Input, Select } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu.tsx";

/** As earlier versions kept them, in the browser. */
interface Local { name: string; search: string }

const of = ({ query, sort, project_name: project }: SavedSearch): Search => ({ query, sort, project: project ?? null });
const save = (name: string, search: Search, team: number | null) => call<SavedSearch>("POST", "/searches", { body: { ...search, name, team } });
const byName = (a: SavedSearch, b: SavedSearch): number => a.name.localeCompare(b.name);

/** What the browser kept goes to the account; what is there already goes too, and what is refused stays. */
function useLocal() {
  const [local, setLocal] = useStored<Local[]>("bugle.searches", []);
  const move = useChange(
    async () => {
      const left: Local[] = [];
      let refusal = "";
      for (const one of local) {
        try {
          await save(one.name, searchOf(one.search), null);
        } catch (error) {
          if (error instanceof Problem && error.status === 409) continue;
          left.push(one);
          refusal = explain(error);
        }
      }
      setLocal(left);
      if (left.length > 0) throw new Problem(422, "invalid", `${plural(left.length, "search", "searches")} could not be kept: ${refusal}`);
    },
    { touches: ["searches"], done: "Kept in your account" },
  );
  return { local, move };
}

/** Searches that one comes back to: one's own, and those that a team shares. */
export function SavedSearches() {
  const saved = useSearches().data ?? null;
  const session = useSession();
  const { local, move } = useLocal();
  const [naming, setNaming] = useState(false);
  const { search } = useLocation();
  const navigate = useNavigate();
  const forget = useChange((one: SavedSearch) => call("DELETE", `/searches/${one.id}`), { touches: ["searches"] });
  const here = searchOf(search);
  const current = saved?.find((one) => same(of(one), here));
  const mayForget = current !== undefined && (current.team === null || current.team === undefined || accessTo(session, current.team).triage);
  return (
    <>
      <Menu align="end" trigger={<Button icon="star">{current?.name ?? "Saved"}</Button>}>
        {saved === null && <MenuLabel>Searches are saved for people who are signed in</MenuLabel>}
        {saved?.length === 0 && local.length === 0 && <MenuLabel>Nothing is saved yet</MenuLabel>}
        <Groups saved={saved ?? []} current={current} open={(one) => navigate(`/issues${addressOf(of(one))}`)} />
        {local.length > 0 && <MenuLabel>In this browser</MenuLabel>}
        {local.map((one) => (
          <MenuItem key={one.name} onSelect={() => navigate(`/issues${one.search}`)}>{one.name}</MenuItem>
        ))}
        <MenuLine />
        {saved !== null && local.length > 0 && <MenuItem icon="check" onSelect={() => move.mutate(undefined)}>Keep those of this browser in my account</MenuItem>}
        {saved !== null && <MenuItem icon="plus" onSelect={() => setNaming(true)}>Save this search</MenuItem>}
        {mayForget && <MenuItem icon="trash" danger onSelect={() => forget.mutate(current)}>Forget “{current.name}”</MenuItem>}
      </Menu>
      {naming && <Naming search={here} onClose={() => setNaming(false)} />}
    </>
  );
}

function Groups({ saved, current, open }: { saved: SavedSearch[]; current: SavedSearch | undefined; open: (one: SavedSearch) => void }) {
  const teams = [...new Set(saved.map((one) => one.team_name ?? ""))].sort((a, b) => a.localeCompare(b));
  return teams.map((team) => [
    ...(team === "" ? [] : [<MenuLabel key={team}>{team}</MenuLabel>]),
    ...saved
      .filter((one) => (one.team_name ?? "") === team)
      .sort(byName)
      .map((one) => (
        <MenuItem key={one.id} checked={one === current} onSelect={() => open(one)}>{one.name}</MenuItem>
      )),
  ]);
}

function Naming({ search, onClose }: { search: Search; onClose: () => void }) {
  const session = useSession();
  const teams = (useTeams().data ?? []).filter((team) => accessTo(session, team.id).triage);
  const [name, setName] = useState("");
  const [team, setTeam] = useState("");
  const add = useChange(() => save(name.trim(), search, team === "" ? null : Number(team)), { touches: ["searches"], done: "Saved" });
  const wrong = add.wrong("name") ?? add.wrong("query") ?? add.wrong("project");
  return (
    <Dialog title="Save this search" onClose={onClose}>
      <Form onSubmit={() => name.trim() !== "" && add.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} maxLength={60} autoFocus error={wrong} />
        {teams.length > 0 && <Select label="For" value={team} options={[["", "Me"], ...teams.map((one) => [String(one.id), `Everybody in ${one.name}`] as const)]} error={add.wrong("team")} help="A team’s searches are kept by its members." onChange={(event) => setTeam(event.target.value)} />}
        <div className="dialogactions">
          <Button type="submit" look="primary" busy={add.isPending}>Save</Button>
        </div>
      </Form>
    </Dialog>
  );
}
