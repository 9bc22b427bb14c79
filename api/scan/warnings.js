// What a person should see before an event is sent: told, not decided.

import { ask } from "./outbox.js";

const EXPIRY = "17";
const MOST_ASKED = 30;

/** {id, name, values} of what is odd: expired, not announced, missing, unknown, recalled, sent to another. */
export async function warningsOf(session, known) {
  const found = [...expired(session), ...announced(session)];
  return [...found, ...(await told(session, known))];
}

function expired(session) {
  const today = new Date(), now = [today.getFullYear() % 100, today.getMonth() + 1, today.getDate()].map((part) => String(part).padStart(2, "0")).join("");
  return session.scans.flatMap((scan) => {
    const date = scan.elements.find(([ai]) => ai === EXPIRY)?.[1];
    if (!date || session.step === "dispose") return [];
    const last = date.endsWith("00") ? `${date.slice(0, 4)}31` : date;
    // two digits of a year mean the century in which they are nearest (General Specifications, 7.12)
    const apart = Number(date.slice(0, 2)) - Number(now.slice(0, 2)), isPast = apart > 50 || (apart >= -49 && last < now);
    return isPast ? [{ id: scan.id, name: "expired", values: { x: `20${date.slice(0, 2)}-${date.slice(2, 4)}-${date.slice(4)}` } }] : [];
  });
}

function announced(session) {
  if (!session.expected) return [];
  const here = new Set(session.scans.map((scan) => scan.id));
  const missing = [...session.expected].filter((id) => !here.has(id));
  const more = session.scans.filter((scan) => !session.expected.has(scan.id)).map((scan) => ({ id: scan.id, name: "notAnnounced", values: {} }));
  return missing.length ? [...more, { name: "missing", values: { n: missing.length } }] : more;
}

/** What only the ledger knows; nothing without network. */
async function told(session, known) {
  const asked = session.scans.slice(0, MOST_ASKED).map(async (scan) => {
    const answer = await ask(`/things/${encodeURIComponent(scan.id)}?contents=0&events=0`);
    if (answer.status === 404) return session.step === "commission" ? [] : [{ id: scan.id, name: "unknown", values: {} }];
    if (!answer.ok) return [];
    const thing = await answer.json(), odd = [];
    if (thing.recalled && session.step !== "dispose") odd.push({ id: scan.id, name: "recalled", values: {} });
    const other = session.step === "receive" && thing.handoffs.find((handoff) => handoff.toParty && handoff.toParty !== known.enrolment.party);
    if (other) odd.push({ id: scan.id, name: "consignee", values: { x: other.toPartyName ?? other.toParty } });
    return odd;
  });
  const settled = await Promise.allSettled(asked);
  return settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}
