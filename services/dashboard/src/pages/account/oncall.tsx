import { HandoffNotices } from "./handoffs.tsx";
import { ContactMethods } from "./methods.tsx";
import { QuietHours } from "./quiet.tsx";
import { NotificationRules } from "./rules.tsx";

/** How one is told of incidents. */
export const MyOnCall = () => (
  <div className="split even">
    <div><NotificationRules /><QuietHours /></div>
    <div><ContactMethods /><HandoffNotices /></div>
  </div>
);
