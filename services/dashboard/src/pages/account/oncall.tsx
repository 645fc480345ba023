import { ContactMethods } from "./methods.tsx";
import { NotificationRules } from "./rules.tsx";

/** How one is told of incidents. */
export const MyOnCall = () => (
  <div className="split even">
    <div><NotificationRules /></div>
    <div><ContactMethods /></div>
  </div>
);
