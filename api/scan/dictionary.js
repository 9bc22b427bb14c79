// GS1's Barcode Syntax Dictionary, as epcis/identifiers/ai_table.py and linters.py read it.

const CHARACTERS = {
  N: "[0-9]",
  X: "[!\"%&'()*+,\\-./0-9:;<=>?A-Z_a-z]",
  Y: "[#\\-/0-9A-Z]",
  Z: "[0-9A-Za-z_\\-=]",
};
const COMPONENT = /^(\[?)([NXYZ])(\.\.)?([0-9]+)((?:,[a-z0-9]+)*)\]?$/;

export function checkDigit(digits) {
  let sum = 0;
  for (let at = digits.length - 1, weight = 3; at >= 0; at -= 1, weight = 4 - weight) sum += weight * Number(digits[at]);
  return String((10 - (sum % 10)) % 10);
}

export const isChecked = (digits) => checkDigit(digits.slice(0, -1)) === digits.slice(-1);

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function dateFault(text, mayLackDay) {
  const year = Number(text.slice(0, -4)), month = Number(text.slice(-4, -2)), day = Number(text.slice(-2));
  if (month < 1 || month > 12) return "no_date";
  let longest = DAYS[month - 1];
  if (month === 2 && (year % 4 || (text.length === 8 && year % 100 === 0 && year % 400))) longest = 28;
  return day > longest || (day === 0 && !mayLackDay) ? "no_date" : null;
}

const unless = (holds) => (holds ? null : "form");
const prefixed = (skipped) => (text) => unless(/^[0-9]{4}$/.test(text.slice(skipped, skipped + 4)));
const below = (limit) => (text) => unless(Number(text) < limit);
const oneOf = (...allowed) => (text) => unless(allowed.includes(text));
const time = (text) => unless(Number(text.slice(0, 2)) < 24 && Number(text.slice(2)) < 60);

const LINTERS = {
  csum: (text) => (isChecked(text) ? null : "check_digit"),
  gcppos1: prefixed(0),
  gcppos2: prefixed(1),
  yymmdd: (text) => dateFault(text, false),
  yymmd0: (text) => dateFault(text, true),
  yyyymmdd: (text) => dateFault(text, false),
  hh: below(24), mi: below(60), ss: below(60), hhmi: time, hhmm: time,
  nonzero: (text) => unless(/[^0]/.test(text)),
  zero: (text) => unless(!/[^0]/.test(text)),
  nozeroprefix: (text) => unless(!(text.length > 1 && text[0] === "0")),
  hasnondigit: (text) => unless(/[^0-9]/.test(text)),
  hyphen: (text) => unless(/^-*$/.test(text)),
  yesno: oneOf("0", "1"), winding: oneOf("0", "1", "9"), iso5218: oneOf("0", "1", "2", "9"),
  pieceoftotal: (text) => {
    const half = text.length / 2, piece = Number(text.slice(0, half)), total = Number(text.slice(half));
    return unless(piece >= 1 && piece <= total);
  },
  pcenc: (text) => unless(!/%(?![0-9A-Fa-f]{2})/.test(text)),
};

function component(word) {
  const [, optional, kind, upTo, length, linters] = COMPONENT.exec(word);
  return { kind, shortest: upTo ? 1 : Number(length), longest: Number(length), optional: optional !== "", linters: linters.split(",").slice(1) };
}

function syntax(ai, rule) {
  const specified = rule.value.split(" ");
  const components = specified.map(component);
  const pattern = components.map((part) => {
    const text = `(${CHARACTERS[part.kind]}{${part.shortest},${part.longest}})`;
    return part.optional ? `(?:${text})?` : text;
  });
  return {
    form: specified.map((word) => word.replace(/,[a-z0-9]+/g, "")).join(" "),
    components,
    pattern: new RegExp(`^${pattern.join("")}$`),
    endsByLength: rule.fixed === true,
    longest: components.reduce((sum, part) => sum + part.longest, 0),
    requires: (rule.needs ?? []).map((group) => group.split(",").map((one) => one.split("+"))),
    excludes: (rule.excludes ?? "").split(" ").filter(Boolean).map((one) => (one === "own" ? `${ai.slice(0, -1)}n` : one)),
  };
}

const full = (ai, value) => (ai === "01" && [8, 12, 13].includes(value.length) ? value.padStart(14, "0") : value);
const meets = (ai, pattern) => ai.length === pattern.length && [...pattern].every((p, at) => p === "n" || p === ai[at]);

export class Dictionary {
  constructor(rules) {
    this.table = new Map();
    for (const rule of rules) {
      for (const entry of rule.ais.split(" ")) {
        const [first, last] = entry.split("-");
        for (let number = Number(first); number <= Number(last ?? first); number += 1) {
          const ai = String(number).padStart(first.length, "0");
          this.table.set(ai, syntax(ai, rule));
        }
      }
    }
  }

  has(ai) { return this.table.has(ai); }

  of(ai) { return this.table.get(ai); }

  at(text, at) {
    for (let length = 2; length <= 4; length += 1) if (this.has(text.slice(at, at + length))) return text.slice(at, at + length);
    return null;
  }

  fits(ai, value) { return this.of(ai).pattern.test(full(ai, value)); }

  faultOf(ai, value) {
    const parts = this.of(ai).pattern.exec(full(ai, value)).slice(1);
    for (const [number, part] of this.of(ai).components.entries()) {
      for (const name of parts[number] === undefined ? [] : part.linters) {
        const fault = LINTERS[name]?.(parts[number]) ?? null;
        if (fault !== null) return fault;
      }
    }
    return null;
  }

  companyFault(ais) {
    for (const ai of ais) {
      const others = ais.filter((other) => other !== ai);
      if (this.of(ai).excludes.some((pattern) => others.some((other) => meets(other, pattern)))) return ai;
      for (const group of this.of(ai).requires) {
        const isThere = (pattern) => others.some((other) => meets(other, pattern));
        if (!group.some((wanted) => wanted.every(isThere))) return ai;
      }
    }
    return null;
  }
}
