// The service worker: keeps the page's own files, and gives them out where the server does not answer. Where it
// does, its answer goes first: another page may be served at this address by now. FILES, LATER and VERSION: the page's
// files, those that are kept when they were asked for, and what changes with all of them.

const PREFIX = "speech-emotion ";
const CACHE = `${PREFIX}${registration.scope} ${VERSION}`;

addEventListener("install", (event) => {
  const files = FILES.map((name) => new Request(name, { cache: "no-cache" }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(files))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(`${PREFIX}${registration.scope} `) && name !== CACHE;
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))),
  );
});

addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const inside = origin === location.origin && pathname.startsWith(new URL(registration.scope).pathname);
  const name = pathname.slice(new URL(registration.scope).pathname.length) || "index.html";
  if (inside && event.request.method === "GET" && [...FILES, ...LATER].includes(name)) {
    const kept = () => caches.open(CACHE).then((cache) => cache.match(new URL(name, registration.scope)));
    // asked, and not taken from the browser's own cache, which holds an old file for as long as it was old
    const asked = fetch(event.request.url, { cache: "no-cache" });
    if (LATER.includes(name)) {
      event.waitUntil(asked.then(keep, () => {}));
    }
    event.respondWith(asked.catch(() => kept().then((file) => file ?? Response.error())));
  }
});

async function keep(response) {
  if (response.ok) {
    const copy = response.clone();
    await (await caches.open(CACHE)).put(new URL(response.url), copy);
  }
}
