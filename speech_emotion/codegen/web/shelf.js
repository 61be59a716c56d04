"use strict";
// Where takes lie until they are saved: this browser's own database (IndexedDB), so that a reload loses nothing.

class Shelf {
  /** Opens it. `keeps` is false where the browser keeps nothing for this page: then they last as long as it. */
  static async open(name = "speech-emotion takes") {
    const shelf = new Shelf();
    try {
      const asked = indexedDB.open(name, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("takes", { keyPath: "id" });
      shelf.database = await done(asked);
    } catch {
      shelf.database = null;
    }
    return shelf;
  }

  get keeps() {
    return this.database !== null;
  }

  /** All takes, in the order in which they were put there. */
  async all() {
    return this.use("readonly", (takes) => takes.getAll(), []);
  }

  /** take: has an `id`, a number that grows. */
  async put(take) {
    await this.use("readwrite", (takes) => takes.put(take));
  }

  async remove(id) {
    await this.use("readwrite", (takes) => takes.delete(id));
  }

  async clear() {
    await this.use("readwrite", (takes) => takes.clear());
  }

  async use(mode, act, otherwise) {
    if (!this.database) {
      return otherwise;
    }
    try {
      return await done(act(this.database.transaction("takes", mode).objectStore("takes")));
    } catch {
      this.database = null; // full, or gone: said by the recorder, which asks `keeps`
      return otherwise;
    }
  }
}

/** What a request to a database gives. */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = request.onerror;
  });
}
