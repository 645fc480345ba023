/** Web push: whether this browser can be told of incidents while no page is open, and how it subscribes. */

import { Problem } from "../api/client.ts";

/** What the server has to know of a subscription. */
export interface Subscription { target: string; p256dh: string; auth: string }

interface TrustedTypes { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => { createScriptURL: (url: string) => unknown } }

const WORKER = "/worker.js";

/** Push needs a secure page; some browsers have it only for an app that was put on the home screen. */
export const canPush = (): boolean => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The content security policy wants addresses of scripts to be vouched for. */
function worker(): string {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types === undefined ? WORKER : (types.createPolicy("worker", { createScriptURL: () => WORKER }).createScriptURL("") as string);
}

/** Where this browser is reached, when it has subscribed. */
export async function subscribedAt(): Promise<string | null> {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription())?.endpoint ?? null;
}

const refused = (why: string): Problem => new Problem(400, "push_refused", why);

/** Asks for leave and subscribes for the server's key; throws with what to do when that is refused. */
export async function subscribe(key: string): Promise<Subscription> {
  if ((await Notification.requestPermission()) !== "granted") throw refused("This browser does not let Bugle notify you: allow it in the settings of the site.");
  await navigator.serviceWorker.register(worker());
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const made = await pushManager.subscribe(options).catch(async () => {
    // A subscription for another key, of an installation that was here before, is in the way.
    await (await pushManager.getSubscription())?.unsubscribe();
    return pushManager.subscribe(options).catch(() => {
      throw refused("This browser could not subscribe: its push service did not answer.");
    });
  });
  const { endpoint, keys } = made.toJSON();
  if (endpoint === undefined || keys?.["p256dh"] === undefined || keys["auth"] === undefined) throw refused("This browser's subscription has no keys.");
  return { target: endpoint, p256dh: keys["p256dh"], auth: keys["auth"] };
}

/** Ends this browser's subscription, when it is the one that is reached there. */
export async function unsubscribe(target: string): Promise<void> {
  if (!canPush()) return;
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription?.endpoint === target) await subscription.unsubscribe();
}
