"use strict";
// Whether the page works without a network, and why not: a service worker keeps its files where it is served.

const OFFLINE_AFTER = 2000; // ms: the first answer goes before the keeping of files

async function tellOffline() {
  const line = element("offline");
  if (location.protocol === "file:") {
    line.textContent = "It works offline: it lies on your disk.";
    return;
  }
  if (!globalThis.isSecureContext || !navigator.serviceWorker) {
    line.textContent = "Offline it does not work here: browsers keep pages for that from https or localhost only.";
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, OFFLINE_AFTER));
  try {
    await navigator.serviceWorker.register("worker.js");
    await navigator.serviceWorker.ready;
    line.textContent = "It works offline, too: this browser has kept it.";
  } catch {
    line.textContent = "Offline it does not work here: this browser keeps no pages.";
  }
}
