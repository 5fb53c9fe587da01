// The way to the console's own server: JSON in, JSON out, problems as errors with a sentence.

export class Problem extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

export async function get(path) { return call("GET", path); }
export async function post(path, body) { return call("POST", path, body); }

async function call(method, path, body) {
  const options = { method, credentials: "same-origin", headers: {} };
  if (body !== undefined) { options.body = JSON.stringify(body); options.headers["content-type"] = "application/json"; }
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Problem(0, "The console's server does not answer."); }
  const text = await answer.text();
  const told = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Problem(answer.status, told?.detail ?? `It failed (${answer.status}).`);
  return told;
}

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
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
export const clip = (text, most = 280) => (text && text.length > most ? `${text.slice(0, most)}…` : text ?? "");
