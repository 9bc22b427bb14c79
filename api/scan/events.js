// EPCIS events of the app's steps, their CBV 2.0 hash and the device's signature: what epcis and chaincode/signatures.py check.
// Only what the app itself says is hashed here: identifiers are canonical links, times are UTC with milliseconds.

const CBV = "https://ref.gs1.org/cbv/";
export const CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", { lotline: "https://ns.lotline.org/epcis/" }];

const STEPS = {
  receive: { bizStep: "receiving", action: "OBSERVE", disposition: "in_progress" },
  ship: { bizStep: "shipping", action: "OBSERVE", disposition: "in_transit" },
  pack: { bizStep: "packing", action: "ADD", disposition: "in_progress", parent: true },
  unpack: { bizStep: "unpacking", action: "DELETE", disposition: "in_progress", parent: true },
  commission: { bizStep: "commissioning", action: "ADD", disposition: "active" },
  count: { bizStep: "cycle_counting", action: "OBSERVE" },
  dispose: { bizStep: "destroying", action: "DELETE", disposition: "destroyed" },
};
export const STEP_NAMES = Object.keys(STEPS);
export const hasParent = (step) => STEPS[step].parent === true;

function zone(date) {
  const minutes = -date.getTimezoneOffset(), size = Math.abs(minutes), two = (n) => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** The event of a step. `scans`: {id, whole, isClass, quantity, uom}; `session`: {step, place, own, other, document, parent}. */
export function eventOf(session, scans, date = new Date()) {
  const { bizStep, action, disposition, parent } = STEPS[session.step];
  const event = {
    type: parent ? "AggregationEvent" : "ObjectEvent",
    eventTime: date.toISOString(),
    eventTimeZoneOffset: session.zone ?? zone(date),
    action,
    bizStep,
    ...(disposition ? { disposition } : {}),
    ...(session.place ? { readPoint: { id: session.place }, ...(session.step === "ship" ? {} : { bizLocation: { id: session.place } }) } : {}),
  };
  const items = scans.filter((scan) => !scan.isClass).map((scan) => scan.whole);
  const lots = scans.filter((scan) => scan.isClass).map((scan) => ({ epcClass: scan.whole, quantity: Number(scan.quantity), ...(scan.uom ? { uom: scan.uom } : {}) }));
  if (parent) event.parentID = session.parent.whole;
  if (items.length) event[parent ? "childEPCs" : "epcList"] = items;
  if (lots.length) event[parent ? "childQuantityList" : "quantityList"] = lots;
  if (session.document) event.bizTransactionList = [{ type: session.documentType ?? "desadv", bizTransaction: session.document }];
  const [from, to] = session.step === "receive" ? [session.other, session.own] : [session.own, session.other];
  if (session.step === "receive" || session.step === "ship") {
    if (from) event.sourceList = [{ type: "possessing_party", source: from }];
    if (to) event.destinationList = [{ type: "possessing_party", destination: to }];
  }
  return event;
}

const number = (value) => {
  const [whole, fraction = ""] = String(value).split("."), rest = fraction.replace(/0+$/, "");
  return rest ? `${whole}.${rest}` : whole;
};

/** The canonical text (epcis/prehash.py) of an event made here; `canonical` gives a link's identity by the link as it is said. */
export function preHash(event, canonical) {
  const id = (link) => canonical.get(link) ?? link, sorted = (texts) => texts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join("");
  const epcs = (name) => (event[name] ? [name + sorted(event[name].map((epc) => `epc=${id(epc)}`))] : []);
  const quantities = (name) => (event[name] ? [name + sorted(event[name].map((one) =>
    `quantityElementepcClass=${id(one.epcClass)}quantity=${number(one.quantity)}${one.uom ? `uom=${one.uom}` : ""}`))] : []);
  const lists = [];
  if (event.bizTransactionList) lists.push(`bizTransactionList${sorted(event.bizTransactionList.map((t) => `type=${CBV}BTT-${t.type}bizTransaction=${t.bizTransaction}`))}`);
  for (const name of ["source", "destination"]) {
    const list = event[`${name}List`];
    if (list) lists.push(`${name}List${sorted(list.map((s) => `type=${CBV}SDT-${s.type}${name}=${s[name]}`))}`);
  }
  return [
    `eventType=${event.type}`, `eventTime=${event.eventTime}`, `eventTimeZoneOffset=${event.eventTimeZoneOffset}`,
    ...(event.parentID ? [`parentID=${id(event.parentID)}`] : []),
    ...epcs("epcList"), ...epcs("childEPCs"), ...quantities("quantityList"), ...quantities("childQuantityList"),
    `action=${event.action}`, `bizStep=${CBV}BizStep-${event.bizStep}`, ...(event.disposition ? [`disposition=${CBV}Disp-${event.disposition}`] : []),
    ...(event.readPoint ? [`readPointid=${event.readPoint.id}`] : []), ...(event.bizLocation ? [`bizLocationid=${event.bizLocation.id}`] : []),
    sorted(lists),
  ].join("");
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const utf8 = (text) => new TextEncoder().encode(text);

export const hashOf = async (event, canonical) => `ni:///sha-256;${hex(await crypto.subtle.digest("SHA-256", utf8(preHash(event, canonical))))}?ver=CBV2.0`;

export const KEY = { name: "ECDSA", namedCurve: "P-256" };
export const makeKey = () => crypto.subtle.generateKey(KEY, false, ["sign", "verify"]);
export const sign = async (key, text) => base64(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, utf8(text)));

export async function publicKey(pair) {
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64(spki).replace(/(.{64})/g, "$1\n").trim()}\n-----END PUBLIC KEY-----\n`;
  return { pem, device: `dev:${hex(await crypto.subtle.digest("SHA-256", spki)).slice(0, 16)}` };
}

/** `lotline:signature` of the next event of a device's chain ({counter, previous} of its last). */
export async function signature(device, key, chain, hash, date = new Date()) {
  const counter = chain.counter + 1, previous = chain.counter === 0 ? null : chain.previous, signedAt = date.toISOString();
  const value = await sign(key, `lotline-event/2\n${device}\n${counter}\n${previous ?? ""}\n${signedAt}\n${hash}`);
  return { device, alg: "ES256", counter, previous, signedAt, value };
}
