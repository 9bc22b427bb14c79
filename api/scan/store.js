// What lies on the device: one IndexedDB, the same for every tab and for the service worker.
// Nothing leaves the outbox before its verdict.

const NAME = "lotline-scan";
let opening = null;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("state");
      request.result.createObjectStore("outbox", { keyPath: "key" }).createIndex("state", "state");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      request.result.onclose = () => { opening = null; };
      resolve(request.result);
    };
    request.onerror = () => { opening = null; reject(request.error); };
  });
  return opening;
}

/** Runs `work` on the stores in one transaction that is on the disk when it ends. */
async function transact(mode, work) {
  const transaction = (await open()).transaction(["state", "outbox"], mode, { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const result = await work(transaction.objectStore("state"), transaction.objectStore("outbox"), transaction);
  await ended;
  return result;
}

export const get = (name) => transact("readonly", (state) => done(state.get(name)));
export const set = (name, value) => transact("readwrite", (state) => done(state.put(value, name)));

/** Puts a signed event into the outbox if the chain is where it was when it was signed; false: another tab was faster. */
export async function append(chain, next, row) {
  return transact("readwrite", async (state, outbox) => {
    const now = (await done(state.get("chain"))) ?? { device: next.device, counter: 0, previous: null };
    if (now.device !== chain.device || now.counter !== chain.counter) return false;
    state.put(next, "chain");
    outbox.add(row);
    return true;
  });
}

export const rows = () => transact("readonly", (_, outbox) => done(outbox.getAll()));
export const rowsIn = (state, most) => transact("readonly", (_, outbox) => done(outbox.index("state").getAll(state, most)));
export const count = (state) => transact("readonly", (_, outbox) => done(outbox.index("state").count(state)));

/** Changes rows by their keys; `change` gives the new row. */
export function change(keys, changed) {
  return transact("readwrite", async (_, outbox) => {
    for (const key of keys) {
      const row = await done(outbox.get(key));
      if (row) outbox.put(changed(row));
    }
  });
}

/** Forgets accepted events but the newest, so that the device does not fill up. */
export function prune(keep) {
  return transact("readwrite", async (_, outbox) => {
    const keys = await done(outbox.index("state").getAllKeys("accepted"));
    for (const key of keys.slice(0, Math.max(0, keys.length - keep))) outbox.delete(key);
  });
}

/** A new device begins a new chain; what is unsent stays, signed by the old one. */
export const enrolled = (enrolment) => transact("readwrite", async (state) => {
  state.put(enrolment, "enrolment");
  const chain = await done(state.get("chain"));
  if (chain?.device !== enrolment.device) state.put({ device: enrolment.device, counter: 0, previous: null }, "chain");
});
