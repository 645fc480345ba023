// Shows what web push brings, also while no page of the dashboard is open, and opens the incident on a click.
self.addEventListener("push", (event) => {
  let message;
  try {
    message = event.data.json();
  } catch {
    // Browsers want something to be shown for each push.
    message = { title: "Bugle", body: "Something has happened", url: "/", tag: "bugle" };
  }
  const options = {
    body: message.body,
    tag: message.tag,
    // What is told again about an incident rings again.
    renotify: true,
    requireInteraction: message.priority === "critical" || message.priority === "high",
    icon: "/bugle.svg",
    data: { url: message.url },
  };
  event.waitUntil(self.registration.showNotification(message.title, options));
});

async function show(url) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => page.url === url);
  return open === undefined ? self.clients.openWindow(url) : open.focus();
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // Only pages of this installation.
  const url = new URL(event.notification.data.url, self.location.origin);
  const own = new URL(self.location.origin);
  own.pathname = url.pathname;
  own.search = url.search;
  event.waitUntil(show(own.href));
});
