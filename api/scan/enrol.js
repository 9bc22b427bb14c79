// Enrolment: a key that never leaves the device, and a one-time code that names whose device it is.

import * as store from "./store.js";
import { makeKey, publicKey, sign } from "./events.js";

/** Enrols with a code. Throws Error with the server's words. A key made before is used again, so that a lost answer costs nothing. */
export async function enrol(code) {
  let pending = await store.get("pending");
  if (pending?.code !== code) {
    pending = { code, key: await makeKey() };
    await store.set("pending", pending);
  }
  const { pem } = await publicKey(pending.key), old = await store.get("enrolment"), body = { code, algorithm: "ES256", publicKey: pem };
  body.proof = await sign(pending.key.privateKey, `lotline-enrol/1\n${code}`);
  const answer = await fetch("/enrol", { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail ?? `${answer.status}`);
  await store.enrolled({ ...told, key: pending.key, at: new Date().toISOString(), before: old?.device ?? null });
  await store.set("pending", null);
  return told;
}

/** The code in what was scanned or in the page's address; null if there is none. */
export const codeIn = (text) => /(?:#enrol=|^)(enr_[A-Za-z0-9_-]+)$/.exec(text.trim())?.[1] ?? null;
