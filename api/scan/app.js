// The page: enrol, choose, scan, review, outbox. One view at a time, drawn anew from what is known.

import { CodeError, Reader } from "./codes.js";
import { codeIn, enrol } from "./enrol.js";
import { STEP_NAMES, eventOf, hasParent } from "./events.js";
import { tell } from "./feedback.js";
import { ask, changes, flush, keep } from "./outbox.js";
import * as store from "./store.js";
import { LANGUAGES, inUse, say, sayCode, use } from "./texts.js";
import { warningsOf } from "./warnings.js";
import { listenToWedge } from "./wedge.js";

const view = document.getElementById("view"), bar = document.getElementById("bar"), message = document.getElementById("message");
const known = { enrolment: null, work: null, clock: null, settings: {}, unsent: 0, refused: 0, link: "ok", persisted: true };
let reader, session = null, current = "home", stopCamera = null, hiding = 0;

/** An element: attributes that begin with "on" are listeners. */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const button = (text, onclick, more = {}) => h("button", { type: "button", onclick, ...more }, text);

function show(text, kind = "taken") {
  clearTimeout(hiding);
  Object.assign(message, { textContent: text, className: kind, hidden: false });
  hiding = setTimeout(() => { message.hidden = true; }, kind === "taken" ? 1500 : 5000);
}

const short = (id) => id.replace("https://id.gs1.org/", "").replace(/^(\w+)\/([^/]+)/, "($1) $2").replace(/\/(\w+)\//, " ($1) ");

function drawBar() {
  const back = current === "home" || current === "enrol" ? null : button("←", goBack, { "aria-label": say("back") });
  const title = current === "scan" || current === "review" ? say(session.step) : current === "outbox" ? say("outbox") : known.enrolment?.name ?? say("title");
  const out = known.enrolment ? button(h("span", { class: "pill", id: "unsent" }, String(known.unsent)), () => go("outbox"), { "aria-label": say("unsent", { n: known.unsent }) }) : null;
  const other = LANGUAGES[(LANGUAGES.indexOf(inUse()) + 1) % LANGUAGES.length];
  const language = current === "home" || current === "enrol" ? button(say("language"), () => changeLanguage(other), { lang: other }) : null;
  bar.replaceChildren(...[back, h("h1", {}, title), language, out].filter(Boolean));
}

async function changeLanguage(wanted) {
  use(wanted);
  document.documentElement.lang = wanted;
  known.settings = { ...known.settings, language: wanted };
  await store.set("settings", known.settings);
  draw();
}

function goBack() {
  if (current === "scan" && session.scans.length && !confirm(say("leave", { n: session.scans.length }))) return;
  go(current === "review" ? "scan" : "home");
}

async function go(where) {
  stopCamera?.();
  stopCamera = null;
  if (message.className !== "taken") message.hidden = true;
  current = where;
  await draw();
}

const VIEWS = { enrol: drawEnrol, home: drawHome, scan: drawScan, review: drawReview, outbox: drawOutbox };

async function draw() {
  drawBar();
  await VIEWS[current]();
}

function drawEnrol() {
  const secure = window.isSecureContext && crypto.subtle;
  const input = h("input", { id: "code", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": say("code"), placeholder: "enr_…" });
  const start = async () => {
    const code = codeIn(input.value);
    if (code === null) { show(say("code"), "refused"); return; }
    show(say("enrolling"), "seen");
    try {
      await enrol(code);
    } catch (error) { tell("refused"); show(error.message, "refused"); return; }
    history.replaceState(null, "", "/scan");
    known.enrolment = await store.get("enrolment");
    known.link = "ok";
    tell("taken");
    message.hidden = true;
    await go("home");
    refresh();
  };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") start(); });
  const found = codeIn(location.hash);
  if (found) input.value = found;
  view.replaceChildren(h("h2", {}, say("enrolTitle")), h("p", {}, say("enrolHow")),
    secure ? h("div", {}, h("label", {}, say("code"), input), button(say("enrol"), start, { class: "main", id: "enrol" })) : h("p", { class: "bad" }, say("insecure")));
  if (found && secure && !known.enrolment) start();
}

function notes() {
  const seconds = Math.round((known.clock?.offset ?? 0) / 1000), lines = [];
  if (known.link === "unauthorised") lines.push(h("p", { class: "bad" }, say("unauthorised"), " ", button(say("again"), () => go("enrol"))));
  else lines.push(h("p", { class: known.link === "ok" ? "good" : "odd", id: "link" }, say(known.link === "ok" ? "online" : "offline")));
  if (Math.abs(seconds) > 60) lines.push(h("p", { class: "bad", id: "clock" }, say(seconds > 0 ? "clockAhead" : "clockBehind", { n: Math.abs(seconds) })));
  if (!known.persisted) lines.push(h("p", { class: "odd" }, say("unpersisted")));
  return lines;
}

function drawHome() {
  const begin = (step) => { session = { step, scans: [], parent: null, other: null, document: null, expected: null }; go("scan"); };
  view.replaceChildren(h("h2", {}, say("choose")), h("div", { class: "grid" }, STEP_NAMES.map((step) => button(say(step), () => begin(step), { id: step }))), ...notes(),
    h("p", { class: "quiet" }, `${say("device")} ${known.enrolment.device} · ${say("place")} ${short(known.enrolment.place ?? "")}`));
  view.querySelector(".grid button").focus();
}

/** Deliveries on their way here, by document and sender. */
function deliveries() {
  const groups = new Map();
  for (const handoff of known.work?.announced ?? []) {
    const key = `${handoff.reference ?? ""} ${handoff.fromParty ?? ""}`;
    const group = groups.get(key) ?? { key, from: handoff.fromParty, fromName: handoff.fromPartyName, document: handoff.reference, documentType: handoff.referenceType, items: [] };
    group.items.push(handoff.item, ...handoff.contents);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function fields() {
  if (session.step === "receive") {
    const groups = deliveries();
    const choose = h("select", { id: "delivery", "aria-label": say("chosen"), onchange: () => {
      const group = groups[choose.selectedIndex - 1];
      Object.assign(session, group ? { other: group.from, document: group.document, documentType: group.documentType, expected: new Set(group.items) } : { other: null, document: null, documentType: null, expected: null });
      drawList();
    } }, h("option", {}, say("other")), groups.map((group) => h("option", { selected: session.expected && session.document === group.document && session.other === group.from }, `${group.fromName ?? short(group.from ?? "?")} · ${group.document?.split(":").at(-1) ?? ""} (${group.items.length})`)));
    return [h("label", {}, say("chosen"), choose)];
  }
  if (session.step !== "ship") return [];
  const parties = (known.work?.parties ?? []).filter((party) => party.id !== known.enrolment.party);
  const partner = h("select", { id: "partner", onchange: () => { session.other = parties[partner.selectedIndex - 1]?.id ?? null; } }, h("option", {}, say("none")), parties.map((party) => h("option", { selected: session.other === party.id }, party.name ?? short(party.id))));
  const paper = h("input", { id: "document", value: session.paper ?? "", maxlength: "60", autocomplete: "off", onchange: () => { session.paper = paper.value.trim(); } });
  return [h("label", {}, say("partner"), partner), h("label", {}, say("document"), paper)];
}

function drawScan() {
  const input = h("input", { id: "scan", autocomplete: "off", autocapitalize: "off", autocorrect: "off", spellcheck: "false", enterkeyhint: "done", "aria-label": say("scanHere"), placeholder: say("scanHere") });
  listenToWedge(input, (text, separators) => take(text, separators));
  const video = h("video", { playsinline: true, muted: true, hidden: true });
  const eye = button(say("camera"), async () => {
    if (stopCamera) { stopCamera(); stopCamera = null; video.hidden = true; eye.textContent = say("camera"); return; }
    try {
      video.hidden = false;
      stopCamera = await (await import("./camera.js")).watch(video, take);
      eye.textContent = say("stop");
    } catch (error) { video.hidden = true; show(say(error.message), "refused"); }
  }, { id: "camera" });
  const add = button(say("add"), () => { const text = input.value; input.value = ""; input.focus(); if (text) take(text); });
  view.replaceChildren(...fields(), h("div", { class: "row" }, h("span", { class: "grow" }, input), add), video, h("div", { id: "list" }),
    h("div", { class: "bar" }, eye, button(say("review"), () => go("review"), { class: "main", id: "review" })));
  drawList();
  input.focus();
}

function drawList() {
  const list = document.getElementById("list");
  if (!list) return;
  const count = session.scans.length, total = session.expected?.size;
  const rows = session.scans.slice(-50).toReversed().map((scan) => h("li", {}, h("div", { class: "row" }, h("span", { class: "grow" }, short(scan.id), mark(scan)),
    scan.isClass ? amount(scan) : null, button("✕", () => { session.scans = session.scans.filter((one) => one !== scan); drawList(); }, { "aria-label": `${say("remove")} ${short(scan.id)}` }))));
  list.replaceChildren(
    h("p", { class: "big", id: "count" }, total ? `${count} / ${total}` : String(count)),
    ...(hasParent(session.step) ? [h("p", { class: session.parent ? "" : "odd" }, session.parent ? `${say("parent")}: ${short(session.parent.id)}` : say("parentFirst"))] : []),
    h("ul", {}, rows));
}

const mark = (scan) => (session.expected && !session.expected.has(scan.id) ? h("small", { class: "odd" }, ` ${say("notAnnounced")}`) : null);

function amount(scan) {
  const input = h("input", { inputmode: "decimal", class: "amount", "aria-label": `${say("quantity")} ${short(scan.id)}`, placeholder: say("quantity"), value: scan.quantity ?? "", onchange: () => {
    const text = input.value.trim().replace(",", ".");
    scan.quantity = /^(?!0+(?:\.0+)?$)[0-9]{1,9}(?:\.[0-9]{1,6})?$/.test(text) ? text.replace(/^0+(?=\d)/, "") : null;
    input.value = scan.quantity ?? "";
  } });
  return input;
}

/** A code was read. Tells what became of it at once; the list is drawn after. */
async function take(text, hasSeparators = false) {
  let code;
  try {
    code = reader.read(text, hasSeparators || known.settings.separators === true);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    code = error.code === "server" ? await askServer(text) : null;
    if (code === null) { tell("refused"); show(sayCode(error), "refused"); return; }
  }
  if (reader.passesSeparators(text) && known.settings.separators !== true) {
    known.settings = { ...known.settings, separators: true };
    store.set("settings", known.settings);
  }
  if (code.id === null) { tell("refused"); show(say("bare", { x: code.text }), "refused"); return; }
  if (hasParent(session.step) && !session.parent && !code.isClass) { session.parent = code; tell("taken"); show(`${say("parent")}: ${short(code.id)}`); drawList(); return; }
  if (session.scans.some((scan) => scan.id === code.id) || session.parent?.id === code.id) { tell("seen"); show(`${say("seen")}: ${short(code.id)}`, "seen"); return; }
  session.scans.push(code);
  tell("taken");
  show(`${say("taken")}: ${short(code.id)}`);
  drawList();
}

async function askServer(text) {
  try {
    const answer = await ask(`/codes?text=${encodeURIComponent(text)}`);
    if (!answer.ok) return null;
    const told = await answer.json();
    return told.id ? reader.read(told.id) : null;
  } catch { return null; }
}

async function drawReview() {
  const blocked = session.scans.some((scan) => scan.isClass && !scan.quantity) ? say("needQuantity") : session.scans.length === 0 ? say("empty")
    : session.step === "ship" && !session.other ? say("needPartner") : hasParent(session.step) && !session.parent ? say("parentFirst") : null;
  const warnings = h("div", { id: "warnings" });
  const send = button(say("send"), () => confirmed(send), { class: "main", id: "send", disabled: blocked !== null });
  view.replaceChildren(h("p", { class: "big" }, say("scanned", { n: session.scans.length })), blocked ? h("p", { class: "bad" }, blocked) : "", warnings, h("div", { class: "bar" }, button(say("back"), () => go("scan")), send));
  send.focus();
  const found = await warningsOf(session, known);
  const line = ({ id, name, values }) => h("li", { class: name === "missing" ? "odd" : "bad" }, `${id ? `${short(id)}: ` : ""}${say(name, values)}`);
  if (found.length) warnings.replaceChildren(h("h2", { class: "odd" }, say("warn")), h("ul", {}, found.map(line)));
}

async function confirmed(send) {
  send.disabled = true;
  const { place, party } = known.enrolment, canonical = new Map();
  for (const scan of [...session.scans, session.parent].filter(Boolean)) canonical.set(scan.whole, scan.id);
  const gln = /\/414\/(\d+)/.exec(place ?? "")?.[1] ?? "";
  const document = session.document ?? (session.paper ? `urn:epcglobal:cbv:bt:${gln}:${encodeURIComponent(session.paper)}` : null);
  const summary = `${session.step} ${session.scans.length}`;
  try {
    await keep(eventOf({ ...session, place, own: party, document }, session.scans), canonical, summary);
  } catch (error) {
    tell("refused");
    show(error.name === "QuotaExceededError" ? say("full") : String(error.message ?? error), "refused");
    send.disabled = false;
    return;
  }
  tell("taken");
  show(say("kept", { x: `${say(session.step)} ${session.scans.length}` }));
  session = null;
  await go("home");
  sync();
}

async function drawOutbox() {
  const rows = (await store.rows()).toReversed();
  const unsent = rows.filter((row) => row.state !== "accepted");
  const described = (row) => { const [step, n] = row.summary.split(" "); return `${say(step)} ${n}`; };
  const items = [...unsent, ...rows.filter((row) => row.state === "accepted")].slice(0, 200).map((row) => h("li", { "data-state": row.state },
    h("strong", {}, described(row)), " ", h("span", { class: { accepted: "good", refused: "bad" }[row.state] ?? "odd" }, say(row.state)),
    h("small", {}, ` ${new Date(row.at).toLocaleString(inUse())}${row.detail ? ` · ${row.detail}` : ""}`)));
  view.replaceChildren(...notes(), h("p", { class: "big" }, say("unsent", { n: unsent.length })),
    h("div", { class: "grid" }, button(say("retry"), sync, { id: "retry" }), button(say("export"), exportUnsent, { id: "export", disabled: unsent.length === 0 })), h("ul", {}, items));
}

async function exportUnsent() {
  const rows = (await store.rows()).filter((row) => row.state !== "accepted");
  const { CONTEXT } = await import("./events.js");
  const document = { "@context": CONTEXT, type: "EPCISDocument", schemaVersion: "2.0", creationDate: new Date().toISOString(), epcisBody: { eventList: rows.map((row) => row.event) } };
  const url = URL.createObjectURL(new Blob([JSON.stringify(document)], { type: "application/ld+json" }));
  h("a", { href: url, download: `scans-${known.enrolment.device.replace(":", "-")}.jsonld` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function count() {
  [known.unsent, known.refused, known.clock] = [(await store.count("waiting")) + (await store.count("sent")) + (await store.count("refused")), await store.count("refused"), await store.get("clock")];
  drawBar();
  if (current === "outbox") await drawOutbox();
}

/** One way for everything that lets the outbox be sent: start, network, the page seen again, the timer. */
async function sync() {
  if (!known.enrolment) return;
  const waiting = (await store.count("waiting")) + (await store.count("sent"));
  if (waiting) {
    const registration = await navigator.serviceWorker?.getRegistration("/scan");
    registration?.sync?.register("outbox").catch(() => {});
  }
  const before = known.link;
  known.link = await flush();
  await count();
  if (current === "home" && before !== known.link) draw();
  if (known.link === "ok" && (await store.count("sent"))) setTimeout(sync, 700);
}

/** What is needed to work without network. */
async function refresh() {
  const { party, place } = known.enrolment;
  try {
    const answer = await ask(`/announced?party=${encodeURIComponent(party)}${place ? `&place=${encodeURIComponent(place)}` : ""}`);
    if (answer.status === 401) known.link = "unauthorised";
    if (answer.ok) { known.work = await answer.json(); await store.set("work", known.work); known.link = "ok"; }
  } catch { known.link = "offline"; }
  await count();
  const isFresh = current === "scan" && !session.expected && session.scans.length === 0;
  if (current === "home" || isFresh) draw();
}

async function start() {
  reader = new Reader(await (await fetch("/scan/application_identifiers.json")).json());
  [known.enrolment, known.work, known.clock, known.settings] = [await store.get("enrolment"), await store.get("work"), await store.get("clock"), (await store.get("settings")) ?? {}];
  use(known.settings.language ?? navigator.language.slice(0, 2));
  document.documentElement.lang = inUse();
  current = known.enrolment && !codeIn(location.hash) ? "home" : "enrol";
  await draw();
  if (navigator.serviceWorker) registerWorker();
  known.persisted = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  if (known.enrolment) { await sync(); await refresh(); }
  addEventListener("online", () => { sync(); refresh(); });
  addEventListener("offline", () => { known.link = "offline"; if (current === "home") draw(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });
  changes?.addEventListener("message", count);
  setInterval(sync, 30_000);
  setInterval(() => known.enrolment && current === "home" && refresh(), 300_000);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && current !== "home" && current !== "enrol") goBack(); });
}

async function registerWorker() {
  try {
    const registration = await navigator.serviceWorker.register("/scan/sw.js", { scope: "/scan", type: "module" });
    const offer = () => { if (registration.waiting && navigator.serviceWorker.controller) { show(say("update"), "seen"); message.onclick = () => { registration.waiting?.postMessage("update"); location.reload(); }; } };
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
    offer();
  } catch { known.persisted = false; }
}

start();
