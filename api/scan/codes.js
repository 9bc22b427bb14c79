// Reading codes without network: the same verdicts as epcis.identifiers.read_code, to which tests hold it.
// Compressed links, EPC URNs and RFID tags are left to the server ("server").

import { Dictionary, checkDigit, isChecked } from "./dictionary.js";

const GS = "\x1d";
const BASE = "https://id.gs1.org";
const GS1 = new Set(["C1", "d2", "d5", "Q3", "Q4", "e0", "e1", "e2", "e3", "J1", "J4", "z1", "z4", "h1", "h4"]);
const SYMBOLOGY = /^\]([A-Za-z][0-9A-Za-z])/;
const WRITTEN_GS = new RegExp(
  "<(?:GS|FNC1|F1|0?x1D)>|[\\[{](?:GS|FNC1)[\\]}]|\\((?:GS|FNC1)\\)|\\^FNC1|\\^\\]|~d029|~1(?=[^0-9]|$)"
  + "|\\\\(?:x1d|u001d|u\\{1d\\}|035|29|F(?![A-Za-z]))|\\\\?&#(?:29|x1d);|%1D|[\\u241d\\u21d4]|[\\x1c-\\x1f]|[|~^@`$\\\\]", "gi");
const ENDS = /^[\x00-\x1c\x1e-\x20\ufeff]+|[\x00-\x20\ufeff]+$/g;
const URI = /^(https?|urn|ni|geo):/i;
const NO_SCHEME = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\/(?:[^\s]*\/)?(?:01|gtin|00|sscc)\/[0-9]{8,}[^\s]*$/i;
const ELEMENT = /[([]\s*([0-9]{2,4})\s*[)\]]/g;
const STARTS_BRACKETED = new RegExp(`^${ELEMENT.source}`);
const HAS_GS = new RegExp(WRITTEN_GS.source, "i");
const FOREIGN = [
  [/^\+[A-Z][A-Z0-9]{2}[A-Z0-9\-./$+% *]+/, "HIBC"],
  [/^(?:=[A-Z<>%&{][A-Z0-9 ]|&[A-Z0-9;+]{3,}[0-9A-Z]{5})/, "ISBT 128"],
  [/^(WIFI|MATMSG|BEGIN:VCARD|MECARD|tel|mailto|smsto|otpauth):/i, "phone"],
  [/^(?:1?9N|\x1d9N)[0-9]{11}/, "PPN"],
  [/^-[0-9]{8}/, "PZN"],
];
const TAG = /^(?:0x)?(?:2[C-F]|3[0-9A-F]|40|41)(?:[0-9A-F]{22}|[0-9A-F]{26,54})$/i;
const QUALIFIERS = {
  "00": [], "01": ["22", "10", "21", "235"], 253: [], 255: [], 401: [], 402: [], 414: ["254", "7040"], 417: ["7040"],
  8003: [], 8004: ["7040"], 8006: ["22", "10", "21"], 8010: ["8011"], 8017: ["8019"], 8018: ["8019"],
};
const KEYS = new Set(["00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018"]);
const CHECKED = { "00": 18, "01": 14, 253: 13, 255: 13, 402: 17, 414: 13, 417: 13, 8003: 14, 8006: 14, 8017: 18, 8018: 18 };
const KEY_FORMS = {
  "00": /^[0-9]{18}$/, "01": /^(?:[0-9]{8}|[0-9]{12,14})$/, 253: /^[0-9]{13}.{0,17}$/s, 255: /^[0-9]{13,25}$/, 401: /^.{1,30}$/s,
  402: /^[0-9]{17}$/, 414: /^[0-9]{13}$/, 417: /^[0-9]{13}$/, 8003: /^0[0-9]{13}.{0,16}$/s, 8004: /^.{1,30}$/s, 8006: /^[0-9]{18}$/,
  8010: /^[#\-/0-9A-Z]{1,30}$/, 8017: /^[0-9]{18}$/, 8018: /^[0-9]{18}$/,
};
const KEY_NAMES = {
  gtin: "01", itip: "8006", cpid: "8010", gln: "414", party: "417", gsrnp: "8017", gsrn: "8018", gcn: "255", sscc: "00",
  gdti: "253", ginc: "401", gsin: "402", grai: "8003", giai: "8004",
};
const QUALIFIER_NAMES = { cpv: "22", lot: "10", ser: "21", glnx: "254", cpsn: "8011", srin: "8019" };
const LONGEST = { 10: 20, 21: 20, 22: 20, 235: 28, 254: 20, 8011: 12, 8019: 10, 7040: 4 };
const DROPPED = new Set(["22", "8019", "7040"]);
const RANK = ["00", "8006", "01"];
const BESIDE = new Set(["401", "402", "414", "417"]);
const LOT_OR_SERIAL = new Set(["10", "21"]);
const SET_82 = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+$/;

export class CodeError extends Error {
  /** `code` as the server's; `more` for the words: an AI, digits, another system's name. */
  constructor(code, more = "") { super(`${code} ${more}`); this.code = code; this.more = more; }
}

export const escapeLink = (text) => text.replace(/[^0-9A-Za-z._\-'=;]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** What is named: `id` its canonical link, `whole` the link that says all that was said, `isClass` whether many things have it. */
function named(values, text, symbology, extra = {}) {
  const ais = [...values.keys()], ai = key(ais);
  return { ...identified(ai, values), text, symbology, elements: [...values], ...extra };
}

function identified(ai, values) {
  const number = ai === "01" ? values.get(ai).padStart(14, "0") : values.get(ai);
  const said = QUALIFIERS[ai].filter((name) => values.has(name)).map((name) => [name, values.get(name)]);
  const telling = said.filter(([name]) => !DROPPED.has(name));
  if (telling.some(([n]) => n === "21") && telling.some(([n]) => n === "235")) throw new CodeError("broken_identifier", "(21) (235)");
  const [chosen, value] = telling.at(-1) ?? ["", ""];
  const path = (pairs) => pairs.map(([name, text]) => `/${name}/${escapeLink(text)}`).join("");
  const id = BASE + path([[ai, number], ...(chosen ? [[chosen, value]] : [])]);
  const rest = [...values].filter(([name]) => name !== ai && !QUALIFIERS[ai].includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const query = rest.map(([name, text]) => `${name}=${escapeLink(text)}`).join("&");
  const whole = BASE + path([[ai, number], ...said]) + (query ? `?${query}` : "");
  const isClass = (ai === "01" || ai === "8006") ? !["21", "235"].includes(chosen)
    : ["253", "255", "8003"].includes(ai) ? number.length === CHECKED[ai] : ai === "8010" && chosen !== "8011";
  return { id, whole, ai, isClass };
}

function key(ais) {
  const keys = ais.filter((ai) => KEYS.has(ai));
  if (keys.length === 0) throw new CodeError("no_key", ais.map((ai) => `(${ai})`).join(" "));
  const ranked = RANK.find((ai) => keys.includes(ai));
  const ai = ranked ?? keys.find((one) => !BESIDE.has(one)) ?? keys[0];
  const rest = keys.filter((one) => one !== ai && (!BESIDE.has(one) || (ranked === undefined && BESIDE.has(ai))));
  if (rest.length) throw new CodeError("broken_identifier", [ai, ...rest].map((one) => `(${one})`).join(" "));
  return ai;
}

const bareNumber = (text) => (/^[0-9]+$/.test(text) && [8, 12, 13, 14, 18].includes(text.length) && isChecked(text)
  ? new Map([text.length === 18 ? ["00", text] : ["01", text.padStart(14, "0")]]) : null);

export class Reader {
  constructor(rules) { this.dictionary = new Dictionary(rules); }

  /** Read what a scanner sent. Throws CodeError; `id` null: a bare text; code "server": only the server can tell. */
  read(text, hasSeparators = false) {
    if (text.length > 8000) throw new CodeError("too_long");
    text = text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/[\u3000\u00a0]/g, " ").replace(ENDS, "");
    const found = SYMBOLOGY.exec(text), symbology = found && "ACEFGIJLQdehzU".includes(found[1][0]) ? found[1] : null;
    let data = symbology ? text.slice(3) : text;
    if (["Q4", "d5", "J4", "z4", "h4"].includes(symbology)) data = data.replace(/\\[0-9]{6}/, "");
    if (!data) throw new CodeError("empty");
    if (data.startsWith("[)>")) return this.elementString(enveloped(data), symbology, true);
    if (URI.test(data) || (!GS1.has(symbology) && NO_SCHEME.test(data))) return this.link(data, symbology);
    if (STARTS_BRACKETED.test(data)) return this.named(this.bracketed(withSeparators(data)), data, symbology);
    const foreign = FOREIGN.find(([form]) => form.test(data));
    if (foreign) throw new CodeError("foreign_code", foreign[1]);
    return GS1.has(symbology) ? this.elementString(data, symbology, hasSeparators) : this.undeclared(data, symbology, hasSeparators);
  }

  /** Whether a code that could be read came with separators in it: then the reader passes them on. */
  passesSeparators(text) { return HAS_GS.test(text.replace(ENDS, "")); }

  elementString(data, symbology, hasSeparators) {
    const written = withSeparators(data), squeezed = written.replace(/\s+/g, GS), bare = bareNumber(squeezed);
    if (bare && !this.beginsWithKey(squeezed)) return named(bare, data, symbology);
    return this.named(this.raw(squeezed, hasSeparators || written.includes(GS)), data, symbology);
  }

  named(elements, text, symbology) {
    const values = new Map();
    for (const [ai, value] of elements) {
      if (values.has(ai) && values.get(ai) !== value) throw new CodeError("qualifier_twice", `(${ai})`);
      values.set(ai, value);
    }
    key([...values.keys()]);
    const odd = this.dictionary.companyFault([...values.keys()]);
    if (odd !== null) throw new CodeError("broken_identifier", `(${odd})`);
    return { ...named(values, text, symbology), elements };
  }

  undeclared(data, symbology, hasSeparators) {
    let digits = data.replace(/[\s-]/g, "");
    if (/^[0-9]+$/.test(digits)) {
      if (symbology === "E3") digits = digits.slice(0, 13);
      const bare = bareNumber(digits);
      if (bare) return named(bare, digits, symbology, { isNumber: symbology === null });
      if (symbology && "EI".includes(symbology[0]) && [8, 12, 13, 14].includes(digits.length)) throw new CodeError("check_digit", checkDigit(digits.slice(0, -1)));
    }
    if (TAG.test(data) && data.replace(/^0x/i, "").length % 4 === 0) throw new CodeError("server");
    const squeezed = withSeparators(data).replace(/\s+/g, GS).replace(/^\x1d+|\x1d+$/g, "");
    if (this.beginsWithKey(squeezed) || this.hasKeyInside(squeezed)) return this.elementString(data, symbology, hasSeparators);
    if (squeezed.includes(GS) && this.beginsWithKey(squeezed.replace(GS, ""))) return this.spaced(data, symbology);
    refuseMisread(squeezed, data);
    return { id: null, text: data, symbology, elements: [] };
  }

  spaced(data, symbology) {
    const words = withSeparators(data).split(/[\s\x1c-\x1f]+/).filter((word) => word);
    if (words.length % 2) throw new CodeError("broken_identifier");
    let text = "";
    for (let at = 0; at < words.length; at += 2) text += `(${words[at]})${words[at + 1]}`;
    return this.named(this.bracketed(text), data, symbology);
  }

  bracketed(text) {
    const places = [...text.matchAll(ELEMENT)].filter((match) => this.dictionary.has(match[1]));
    if (places.length === 0 || places[0].index !== 0) throw new CodeError("unknown_ai");
    return places.map((match, at) => {
      const value = text.slice(match.index + match[0].length, places[at + 1]?.index).replace(/[\s\x1d]/g, "");
      return this.judged(match[1], value);
    });
  }

  raw(data, hasSeparators) {
    const elements = this.split(data);
    if (elements.length && !hasSeparators && !data.includes(GS)) this.refuseAmbiguous(elements);
    return elements;
  }

  split(data) {
    const elements = [];
    for (let at = 0; at < data.length;) {
      if (data[at] === GS) { at += 1; continue; }
      const ai = this.dictionary.at(data, at);
      if (ai === null) throw new CodeError("unknown_ai", data.slice(at, at + 20));
      const start = at + ai.length, separator = data.indexOf(GS, start);
      at = separator < 0 ? data.length : separator;
      if (this.dictionary.of(ai).endsByLength) at = Math.min(at, start + this.dictionary.of(ai).longest);
      elements.push(this.judged(ai, data.slice(start, at)));
    }
    return elements;
  }

  judged(ai, value) {
    if (!this.dictionary.fits(ai, value)) throw new CodeError("broken_identifier", `(${ai}) ${this.dictionary.of(ai).form}`);
    const fault = this.dictionary.faultOf(ai, value);
    if (fault !== null) throw new CodeError(fault === "check_digit" ? fault : "broken_identifier", `(${ai})`);
    return [ai, value];
  }

  refuseAmbiguous(elements) {
    const [ai, value] = elements.at(-1);
    if (this.dictionary.of(ai).endsByLength) return;
    const present = new Set(elements.map(([name]) => name));
    for (let cut = 1; cut < value.length - 1; cut += 1) {
      if (!this.dictionary.fits(ai, value.slice(0, cut))) continue;
      let rest;
      try { rest = this.split(value.slice(cut)); } catch { continue; }
      if (rest.some(([name]) => present.has(name)) || !this.isTelling(ai, rest)) continue;
      throw new CodeError("ambiguous", [[ai, value.slice(0, cut)], ...rest].map(([name, text]) => `(${name})${text}`).join(""));
    }
  }

  isTelling(ai, rest) {
    const dictionary = this.dictionary;
    if (rest.some(([other]) => dictionary.of(other).endsByLength && dictionary.of(other).longest >= 6)) return true;
    return LOT_OR_SERIAL.has(ai) && LOT_OR_SERIAL.has(rest[0][0]);
  }

  beginsWithKey(data) {
    const ai = this.dictionary.at(data, 0), length = CHECKED[ai === "02" || ai === "03" ? "01" : ai];
    if (ai === null || length === undefined) return false;
    const digits = data.slice(ai.length, ai.length + length);
    return digits.length === length && /^[0-9]+$/.test(digits) && isChecked(digits);
  }

  hasKeyInside(data) {
    try { return this.raw(data, true).some(([ai]) => ["00", "01", "8006"].includes(ai)); } catch { return false; }
  }

  link(data, symbology) {
    const uri = URI.test(data) ? data : `https://${data}`, match = /^https?:\/\/[^/?#]+(\/[^?#]*)?(?:\?([^#]*))?/i.exec(uri);
    if (uri.length > 500) throw new CodeError("identifier_too_long");
    if (match === null) throw new CodeError("server");
    const segments = (match[1] ?? "").replace(/^\/+|\/+$/g, "").split("/");
    for (let at = 0; at + 1 < segments.length; at += 1) {
      const ai = KEY_NAMES[segments[at].toLowerCase()] ?? segments[at], value = KEYS.has(ai) ? keyValue(ai, segments[at + 1]) : null;
      if (value !== null) return this.ofLink(ai, value, segments.slice(at + 2), match[2] ?? "", data, symbology);
    }
    throw new CodeError(/^[A-Za-z0-9_-]{8,}={0,2}$/.test(segments.at(-1)) ? "server" : "no_key");
  }

  ofLink(ai, number, rest, query, text, symbology) {
    if (rest.length % 2) throw new CodeError("server");
    const allowed = QUALIFIERS[ai], values = new Map([[ai, number]]), names = [];
    for (let at = 0; at < rest.length; at += 2) {
      const name = QUALIFIER_NAMES[rest[at].toLowerCase()] ?? rest[at];
      if (!allowed.includes(name) || names.includes(name)) throw new CodeError("server");
      names.push(name);
      values.set(name, qualifier(name, rest[at + 1]));
    }
    if (allowed.filter((name) => names.includes(name)).join() !== names.join()) throw new CodeError("server");
    for (const part of query ? query.split(/[&;]/) : []) {
      const [name, value] = [part.split("=")[0], part.slice(part.indexOf("=") + 1)], known = QUALIFIER_NAMES[name.toLowerCase()] ?? name;
      if (!part.includes("=") || !value) continue;
      if (allowed.includes(known)) {
        const plain = qualifier(known, value);
        if (values.has(known) && values.get(known) !== plain) throw new CodeError("qualifier_twice", `(${known})`);
        values.set(known, plain);
      } else if (!KEYS.has(known) && /^[0-9]+$/.test(known) && this.dictionary.has(known) && !values.has(known)) {
        const plain = decoded(value, 90);
        if (plain !== null) values.set(known, plain);
      }
    }
    const length = CHECKED[ai];
    if (length !== undefined && !isChecked(number.slice(0, length))) throw new CodeError("check_digit", checkDigit(number.slice(0, length - 1)));
    return named(values, text, symbology);
  }
}

const withSeparators = (data) => data.replace(WRITTEN_GS, GS);

function decoded(text, longest) {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  let plain;
  try { plain = decodeURIComponent(text); } catch { return null; }
  return SET_82.test(plain) && plain.length <= longest ? plain : null;
}

function keyValue(ai, text) {
  const plain = ai === "8010" ? text.split("%23").map((part) => (part ? decoded(part, 60) : "")).join("#") : decoded(text, 60);
  if (plain === null || !KEY_FORMS[ai].test(plain)) return null;
  return ai === "01" ? plain.padStart(14, "0") : plain;
}

function qualifier(name, text) {
  const plain = decoded(text, LONGEST[name]);
  if (plain === null || (["8011", "8019"].includes(name) && !/^[0-9]+$/.test(plain))) throw new CodeError("server");
  return plain;
}

function enveloped(data) {
  const body = data.replace(/^\[\)>[\x1e\x1d\s]*/, "").replace(/[\x04\x1e]+$/, "");
  if (body.startsWith(`05${GS}`)) return body.slice(3);
  throw new CodeError("foreign_code", /\x1d?9N[0-9]{8,}/.test(body) ? "PPN" : "MH10");
}

function refuseMisread(data, said) {
  const match = /^0[0-3][0-9]{14}/.exec(data);
  if (match && data.length > 16 && !data.startsWith("00")) throw new CodeError("check_digit", checkDigit(data.slice(2, 15)));
  if (/^00[0-9]{18}$/.test(data)) throw new CodeError("check_digit", checkDigit(data.slice(2, -1)));
  if (HAS_GS.test(said)) throw new CodeError("no_key");
  if (/[\x00-\x1f\x7f]/.test(said)) throw new CodeError("no_key");
  if (said.length > 30) throw new CodeError("no_key");
}
