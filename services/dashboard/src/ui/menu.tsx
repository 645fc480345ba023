import * as Radix from "@radix-ui/react-dropdown-menu";
import { type ReactNode, useState } from "react";
import { Icon, type IconName } from "./icons.tsx";

/**
 * A menu under a button. Not modal: a modal one would lock scrolling with a `<style>` element, which the content security
 * policy forbids.
 */
export function Menu({ trigger, children, align = "start" }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" }) {
  // Rendered anew when it opens: the landmark of the first rendering may be that of a page that was still loading.
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root modal={false} open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      {/* Within a landmark, where screen readers that go by them find it. */}
      <Radix.Portal container={document.querySelector("main")}>
        <Radix.Content className="menu" align={align} sideOffset={4} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export const MenuItem = ({ icon, onSelect, children, checked, danger = false }: { icon?: IconName; onSelect: () => void; children: ReactNode; checked?: boolean; danger?: boolean }) => (
  <Radix.Item className={`menuitem ${danger ? "danger" : ""}`} onSelect={onSelect}>
    {icon !== undefined && <Icon name={icon} />}
    <span>{children}</span>
    {checked === true && <Icon name="check" className="end" />}
  </Radix.Item>
);

export const MenuLabel = ({ children }: { children: ReactNode }) => <Radix.Label className="menulabel">{children}</Radix.Label>;
export const MenuLine = () => <Radix.Separator className="menuline" />;
