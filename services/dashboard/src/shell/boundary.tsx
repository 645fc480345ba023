import { Component, type ReactNode } from "react";
import { Button, Empty } from "../ui/kit.tsx";

/** A page that broke does not take the others along. `key` it by the address, and going on heals it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <div role="alert">
        <Empty whole icon="warning" title="This page broke" action={<Button onClick={() => window.location.reload()}>Reload</Button>}>
          That is a bug in the dashboard, or a new version was installed while the page was open.
        </Empty>
      </div>
    );
  }
}
