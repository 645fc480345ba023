import { Dialog } from "../../ui/kit.tsx";

const KEYS: [string, string][] = [
  ["j / k", "Next, previous issue"],
  ["Enter", "Open it"],
  ["x", "Select it"],
  ["e", "Resolve"],
  ["r", "Reopen"],
  ["i", "Ignore"],
  ["a", "Assign"],
  ["/", "Search"],
  ["?", "This list"],
];

export const KeysHelp = ({ onClose }: { onClose: () => void }) => (
  <Dialog title="Keys" onClose={onClose}>
    <dl className="keys">
      {KEYS.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <p className="muted">e, r, i and a act on what is selected, else on the issue that is marked. On the page of an issue, j and k go to the next older and newer event.</p>
  </Dialog>
);
