import { useState, type ReactNode } from "react";
import { Button, Dialog } from "./kit.tsx";

/** Asks before something is done that cannot be undone. `children` gets what opens the question. */
export function Confirm({ title, action, onConfirm, body, children }: { title: string; action: string; onConfirm: () => void; body: ReactNode; children: (ask: () => void) => ReactNode }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      {children(() => setAsking(true))}
      {asking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          <p>{body}</p>
          <div className="dialogactions">
            <Button onClick={() => setAsking(false)}>Leave it</Button>
            <Button
              look="danger"
              onClick={() => {
                setAsking(false);
                onConfirm();
              }}
            >
              {action}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
