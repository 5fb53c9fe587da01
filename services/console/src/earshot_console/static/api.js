// The way to the console's own server: JSON in, JSON out, problems as errors with a sentence.

export class Problem extends Error {
  constructor(status, detail, more = {}) {
    super(detail);
    this.status = status;
    this.code = more.code;
    this.changes = more.changes ?? [];
    this.errors = more.errors ?? [];
  }
}

export async function get(path) { return call("GET", path); }
export async function post(path, body, terms) { return call("POST", path, body, terms); }
export async function put(path, body, terms) { return call("PUT", path, body, terms); }
export async function remove(path, terms) { return call("DELETE", path, undefined, terms); }

// `version`: what the person looked at, so that a change by somebody else in between is told and nothing is overwritten unseen.
// `once`: the same for every try of one wish, so that pressing twice does nothing twice.
async function call(method, path, body, { version, once } = {}) {
  const options = { method, credentials: "same-origin", headers: {} };
  if (body !== undefined) { options.body = JSON.stringify(body); options.headers["content-type"] = "application/json"; }
  if (version !== undefined && version !== null) options.headers["if-match"] = `"${version}"`;
  if (once) options.headers["idempotency-key"] = once;
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Problem(0, "The console's server does not answer."); }
  const text = await answer.text();
  let told = null;
  try { told = text ? JSON.parse(text) : null; } catch { /* no JSON: what went wrong is in the status */ }
  if (!answer.ok) throw new Problem(answer.status, told?.detail ?? `It failed (${answer.status}).`, told ?? {});
  return told;
}

export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const VERBS = { same: "joined it with another", not_same: "took it apart", lock: "locked it", unlock: "unlocked it", edit: "set a value by hand", consent: "recorded a consent", assign: "assigned it", respond: "answered", note: "left a note", route: "handed it to a team", escalate: "raised it", resolve: "resolved it", reopen: "reopened it", message: "wrote a message" };
export const did = (verb) => VERBS[verb] ?? `did “${verb}”`;

export const named = (field) => field.replaceAll("_", " ");

// What went wrong, for people.
export function inWords(problem) {
  if (problem.status === 412) {
    const who = problem.changes.slice(-3).map((change) => `${change.actor} ${did(change.verb)} ${ago(change.at)}`);
    const what = who.length ? `${who.join(", ")}.` : "New evidence came in; no person changed it.";
    return `This changed while you looked: ${what} You see the newest state now. Look again, then repeat it if you still mean it.`;
  }
  if (problem.status === 403) return `Your key may not do that. ${problem.message}`;
  if (problem.errors.length) return problem.errors.slice(0, 3).map((each) => `${each.field}: ${each.detail}`).join(" ");
  return problem.message;
}

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const NUMBER = new Intl.NumberFormat("en");
export const count = (n) => NUMBER.format(n ?? 0);
export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;
export const short = (n) => (n >= 100000 ? new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(n) : count(n));

export function span(seconds) {
  const s = Math.max(0, Math.round(Math.abs(seconds)));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}
export function ago(moment) {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  return seconds < 5 ? "now" : `${span(seconds)} ago`;
}
export const moment = (when) => (when ? new Date(when).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) : "–");
export const clip = (text, most = 280) => (text && text.length > most ? `${text.slice(0, most)}…` : text ?? "");
