import { Dialog } from "../../ui/kit.tsx";

type Keys = [key: string, what: string][];

/** Heard in the list; the first ones by everybody. */
const LIST: Keys = [
  ["j / k", "Next, previous issue"],
  ["Enter", "Open it"],
  ["/", "Search"],
];
const LIST_CHANGES: Keys = [
  ["x", "Select it"],
  ["X", "Select all from the last selected to it"],
  ["Esc", "Select nothing"],
];
const ISSUE: Keys = [["j / k", "Next older, newer event"]];
const CHANGES: Keys = [
  ["e", "Resolve"],
  ["r", "Reopen"],
  ["i", "Ignore"],
  ["a", "Assign"],
];

/** The keys that work where it is opened, for who may triage there and for who only reads. */
export function KeysHelp({ where = "issue", may = true, onClose }: { where?: "list" | "issue"; may?: boolean; onClose: () => void }) {
  const list = where === "list";
  const keys: Keys = [...(list ? LIST : ISSUE), ...(may && list ? LIST_CHANGES : []), ...(may ? CHANGES : []), ["?", "This list"]];
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {list && may && <p className="muted">e, r, i and a act on what is selected, else on the issue that is marked. With Shift, a click on a checkbox selects all from the last one to it.</p>}
    </Dialog>
  );
}
