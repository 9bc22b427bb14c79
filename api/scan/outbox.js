// From the outbox to the server: sent, asked about, and told what became of each event. Used by the page and by the service worker.

import * as store from "./store.js";
import { CONTEXT, hashOf, signature } from "./events.js";

const BATCH = 200;
const KEEP = 500;
export const changes = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("lotline-scan");

/** Signs an event and keeps it. It is safe when this returns. */
export async function keep(event, canonical, summary) {
  const hash = await hashOf(event, canonical);
  for (;;) {
    const enrolment = await store.get("enrolment");
    const chain = (await store.get("chain")) ?? { device: enrolment.device, counter: 0, previous: null };
    const signed = await signature(enrolment.device, enrolment.key.privateKey, chain, hash);
    const row = {
      key: `${enrolment.device} ${String(signed.counter).padStart(16, "0")}`, state: "waiting", at: signed.signedAt,
      hash, summary, event: { ...event, "lotline:signature": signed },
    };
    if (await store.append(chain, { device: enrolment.device, counter: signed.counter, previous: hash }, row)) return row;
  }
}

/** Asks the server with the device's token; notes how far the clocks are apart. */
export async function ask(path, options = {}) {
  const enrolment = await store.get("enrolment"), before = Date.now();
  const answer = await fetch(path, {
    ...options, cache: "no-store", signal: AbortSignal.timeout(30_000),
    headers: { Authorization: `Bearer ${enrolment?.token}`, ...options.headers },
  });
  const date = Date.parse(answer.headers.get("Date") ?? "");
  if (!Number.isNaN(date)) await store.set("clock", { offset: Math.round((before + Date.now()) / 2 - date - 500), at: Date.now() });
  return answer;
}

/** Sends what waits and asks about what was sent. Returns "ok", "offline" or "unauthorised". */
export async function flush() {
  const run = () => round();
  const outcome = typeof navigator !== "undefined" && navigator.locks ? await navigator.locks.request("lotline-outbox", run) : await run();
  changes?.postMessage("outbox");
  return outcome;
}

async function round() {
  try {
    for (let size = BATCH; ;) {
      const waiting = await store.rowsIn("waiting", size);
      if (waiting.length === 0) break;
      const outcome = await send(waiting);
      if (outcome === "smaller" && size > 1) size = Math.ceil(size / 4);
      else if (outcome !== "ok") return outcome;
    }
    const outcome = await askAbout(await store.rowsIn("sent"));
    await store.prune(KEEP);
    return outcome;
  } catch (error) {
    if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") return "offline";
    throw error;
  }
}

async function send(waiting) {
  const body = JSON.stringify({
    "@context": CONTEXT, type: "EPCISDocument", schemaVersion: "2.0", creationDate: new Date().toISOString(),
    epcisBody: { eventList: waiting.map((row) => row.event) },
  });
  const answer = await ask("/capture", {
    method: "POST", body, headers: { "Content-Type": "application/json", "GS1-Capture-Error-Behaviour": "proceed" },
  });
  if (answer.status === 202) {
    const job = (await answer.json()).captureID, places = new Map(waiting.map((row, n) => [row.key, n]));
    await store.change([...places.keys()], (row) => ({ ...row, state: "sent", job, n: places.get(row.key) }));
    return "ok";
  }
  if (answer.status === 401 || answer.status === 403) return "unauthorised";
  if (answer.status === 413) {
    if (waiting.length > 1) return "smaller";
  } else if (answer.status !== 400) return "offline";
  if (waiting.length > 1) {
    for (const row of waiting) {
      const outcome = await send([row]);
      if (outcome !== "ok") return outcome;
    }
    return "ok";
  }
  const problem = await answer.json().catch(() => ({}));
  await store.change([waiting[0].key], (row) => ({ ...row, state: "refused", code: problem.errors?.[0]?.code ?? "refused", detail: problem.detail ?? "" }));
  return "ok";
}

async function askAbout(sent) {
  const jobs = Map.groupBy ? Map.groupBy(sent, (row) => row.job) : grouped(sent);
  for (const [job, rows] of jobs) {
    const answer = await ask(`/capture/${job}?perPage=1000`);
    if (answer.status === 401 || answer.status === 403) return "unauthorised";
    if (answer.status === 404) { await again(rows); continue; }
    if (!answer.ok) return "offline";
    const document = await answer.json();
    if (document.running) continue;
    if (document.verdicts.length === 0) { await again(rows, document.errors?.[0]?.detail); continue; }
    const verdicts = new Map(rows.map((row) => [row.key, document.verdicts[row.n]]));
    await store.change([...verdicts.keys()], (row) => told(row, verdicts.get(row.key)));
  }
  return "ok";
}

const again = (rows, detail = "") => store.change(rows.map((row) => row.key), (row) => ({ ...row, state: "waiting", detail }));

function told(row, verdict) {
  if (!verdict) return { ...row, state: "waiting" };
  // a clock that runs ahead: what is in the future now will not be for ever
  if (verdict.code === "future") return { ...row, state: "waiting", code: verdict.code, detail: verdict.detail };
  if (verdict.verdict !== "rejected") return { ...row, state: "accepted", code: verdict.verdict, detail: "" };
  return { ...row, state: "refused", code: verdict.code, detail: verdict.detail };
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.job, [...(groups.get(row.job) ?? []), row]);
  return groups;
}
