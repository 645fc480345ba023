import { useState } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { useStored } from "../../lib/hooks.ts";
import { Button, Dialog, Form, Input } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/menu.tsx";

interface Saved { name: string; search: string }

/** Searches that one comes back to. An address holds all of a search, so a name and the address are all there is. */
export function SavedSearches() {
  const [saved, save] = useStored<Saved[]>("bugle.searches", []);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const { search } = useLocation();
  const navigate = useNavigate();
  const current = saved.find((s) => s.search === search);
  return (
    <>
      <Menu align="end" trigger={<Button icon="star">{current?.name ?? "Saved"}</Button>}>
        {saved.length === 0 && <MenuLabel>Nothing is saved yet</MenuLabel>}
        {saved.map((s) => (
          <MenuItem key={s.name} checked={s === current} onSelect={() => navigate(`/issues${s.search}`)}>
            {s.name}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem icon="plus" onSelect={() => setNaming(true)}>
          Save this search
        </MenuItem>
        {current !== undefined && (
          <MenuItem icon="trash" danger onSelect={() => save(saved.filter((s) => s !== current))}>
            Forget “{current.name}”
          </MenuItem>
        )}
      </Menu>
      {naming && (
        <Dialog title="Save this search" onClose={() => setNaming(false)}>
          <Form
            onSubmit={() => {
              if (name.trim() === "") return;
              save([...saved.filter((s) => s.name !== name.trim()), { name: name.trim(), search }]);
              setName("");
              setNaming(false);
            }}
          >
            <Input label="Name" value={name} onChange={(event) => setName(event.target.value)} maxLength={60} autoFocus help="Kept in this browser." />
            <div className="dialogactions">
              <Button type="submit" look="primary">
                Save
              </Button>
            </div>
          </Form>
        </Dialog>
      )}
    </>
  );
}
