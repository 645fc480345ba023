import { useState } from "react";
import { download } from "../../api/client.ts";
import { useAttachments, useFeedback } from "../../api/queries.ts";
import type { Attachment, EventBody } from "../../api/types.ts";
import { bytes } from "../../lib/format.ts";
import { neutralise } from "../../lib/text.ts";
import { Button, Panel } from "../../ui/kit.tsx";
import { SafeLink, Time, Untrusted } from "../../ui/text.tsx";
import { useToast } from "../../ui/toasts.tsx";

function File({ file }: { file: Attachment }) {
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  const keep = async (): Promise<void> => {
    setBusy(true);
    try {
      await download(`/attachments/${file.id}`, file.name);
    } catch (error) {
      toast.failed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li>
      <div className="grow">
        <strong><Untrusted limit={200}>{file.name}</Untrusted></strong>
        <div className="muted">
          {bytes(file.size)}
          {file.content_type !== null && <> · <Untrusted limit={80}>{file.content_type}</Untrusted></>}
        </div>
      </div>
      <Button small icon="download" busy={busy} onClick={() => void keep()} aria-label={`Download ${neutralise(file.name).slice(0, 80)}`}>
        Download
      </Button>
    </li>
  );
}

/** Files that came with the event: for keeping, never for looking at here. */
export function Attachments({ event }: { event: EventBody }) {
  const files = useAttachments(event).data?.items ?? [];
  if (files.length === 0) return null;
  return (
    <Panel title={`Attachments (${files.length})`}>
      <ul className="rows">{files.map((file) => <File key={file.id} file={file} />)}</ul>
    </Panel>
  );
}

/** What users said about it. */
export function Feedback({ event }: { event: EventBody }) {
  const feedback = useFeedback(event).data?.items ?? [];
  if (feedback.length === 0) return null;
  return (
    <Panel title="User feedback">
      {feedback.map((entry) => (
        <blockquote key={entry.id} className="feedback">
          <p><Untrusted limit={5_000}>{entry.message}</Untrusted></p>
          <footer>
            <Untrusted limit={200}>{entry.name ?? "Somebody"}</Untrusted>
            {entry.email !== null && <> · <Untrusted limit={254}>{entry.email}</Untrusted></>} · <Time at={entry.received_at} />
            {entry.url !== null && <> · <SafeLink href={entry.url} /></>}
          </footer>
        </blockquote>
      ))}
    </Panel>
  );
}
