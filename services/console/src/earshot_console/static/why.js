// Why a customer is one: a picture of the evidence, and the same as sentences.

import { el, svg, clip, moment } from "./api.js";

const COLUMN = 265, ROW = 40, BOX = 205, MOST_DRAWN = 60, MOST_TOLD = 200;
export const KINDS = { account: "account", handle: "handle", mailbox: "mailbox", email: "mail", phone: "phone", crm_id: "CRM record" };
const RULES = { account: "own name", email: "mail", phone: "phone", crm_id: "CRM id", listed: "listed account", person: "a person's word", scored: "much in common", held: "best claim" };
const REFUSALS = {
  not_same: "a person said they are not the same", locked: "the customer is locked", two_accounts: "two accounts on one channel, and nothing verified says they are one's",
  two_records: "different records of one CRM", too_large: "the customer would grow too large", shared: "too many people show it, so it ties nobody", blocked: "a shared mailbox, a throw-away address or no real value",
  automaton: "a bot's or a brand's account", staff: "a guess never ties staff to a customer", oversize: "too much hangs together here to judge it piece by piece",
};
export const refusal = (reason) => REFUSALS[reason] ?? reason;

const named = (spelt) => { const [kind, ...rest] = spelt.split(" "); return { kind, value: rest.join(" ") }; };
const rule = (step) => RULES[step.rule] ?? step.rule;

// Returns the tree in which every identifier hangs on the one before it on its path: [{key, kind, value, depth, parent, step}].
function tree(why) {
  const nodes = new Map();
  for (const each of [...why.identifiers].sort((a, b) => a.path.length - b.path.length)) {
    const own = `${each.kind} ${each.value}`;
    if (!each.path.length) nodes.set(own, { key: own, depth: 0, parent: null });
  }
  for (const each of why.identifiers) {
    let at = [...nodes.values()].find((node) => node.depth === 0)?.key;
    for (const step of each.path) {
      const next = step.a === at ? step.b : step.a;
      if (!nodes.has(next)) nodes.set(next, { key: next, depth: (nodes.get(at)?.depth ?? 0) + 1, parent: at, step });
      at = next;
    }
  }
  return nodes;
}

// Places nodes: a column for each depth; every subtree keeps its rows together.
function place(nodes) {
  const below = new Map();
  for (const node of nodes.values()) { if (node.parent) below.set(node.parent, [...(below.get(node.parent) ?? []), node]); }
  let row = 0;
  const walk = (node) => {
    const under = below.get(node.key) ?? [];
    for (const each of under) walk(each);
    node.row = under.length ? (under[0].row + under[under.length - 1].row) / 2 : row++;
  };
  for (const node of nodes.values()) if (!node.parent) walk(node);
  return row;
}

export function picture(why) {
  const nodes = tree(why);
  if (nodes.size < 2 || nodes.size > MOST_DRAWN) return null;
  const rows = place(nodes);
  const width = (Math.max(...[...nodes.values()].map((node) => node.depth)) + 1) * COLUMN - (COLUMN - BOX) + 4, height = rows * ROW + 6;
  const parts = [];
  const x = (node) => node.depth * COLUMN + 2, y = (node) => node.row * ROW + 20;
  for (const node of nodes.values()) {
    const parent = nodes.get(node.parent);
    if (!parent) continue;
    const [x0, y0, x1, y1] = [x(parent) + BOX, y(parent), x(node), y(node)];
    const line = svg("path", { class: node.step.verified ? "sure" : "guess", d: `M${x0},${y0}C${x0 + 30},${y0} ${x1 - 30},${y1} ${x1},${y1}` }, svg("title", {}, told(node.step)));
    parts.push(line, svg("text", { class: "rule", x: x1 - 5, y: y1 - 5, "text-anchor": "end" }, node.step.verified ? "✓" : "?"));
  }
  for (const node of nodes.values()) {
    const { kind, value } = named(node.key);
    parts.push(svg("g", { class: `id ${kind}`, transform: `translate(${x(node)},${y(node) - 15})` }, svg("title", {}, `${KINDS[kind] ?? kind} ${value}`), svg("rect", { width: BOX, height: 30, rx: 8 }),
      svg("text", { class: "kind", x: 9, y: 11.5 }, KINDS[kind] ?? kind), svg("text", { x: 9, y: 24 }, clip(value, 29))));
  }
  const drawn = svg("svg", { class: "evidence", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "The evidence that ties the identifiers; the same stands below as sentences" }, ...parts);
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Picture of the evidence" }, drawn);
}

function told(step) {
  const reasons = step.reasons?.length ? ` (${step.reasons.join(", ")})` : "";
  return `${rule(step)}, ${step.verified ? "vouched for" : "claimed"} by ${step.source}, ${moment(step.at)}${reasons}`;
}

export function sentences(why) {
  const rows = why.identifiers.filter((each) => each.path.length).slice(0, MOST_TOLD).map((each) => {
    let at = null;
    const steps = each.path.map((step) => {
      const from = at === null ? (each.path.length > 1 && [each.path[1].a, each.path[1].b].includes(step.a) ? step.b : step.a) : at;
      at = step.a === from ? step.b : step.a;
      return el("li", {}, el("b", {}, named(from).value), step.rule === "person" ? " and " : " shows ", el("b", {}, named(at).value), el("span", { class: "note", title: `evidence ${step.evidence_id}` }, ` — ${told(step)}`));
    });
    return el("details", {}, el("summary", {}, el("span", { class: "chip" }, KINDS[each.kind] ?? each.kind), " ", el("b", {}, each.value), el("span", { class: "note" }, ` by ${[...new Set(each.path.map(rule))].join(", then ")}`)), el("ol", { class: "steps" }, ...steps));
  });
  const refused = why.refused.map((each) => el("li", {}, `${named(each.a).value} and ${named(each.b).value} `, el("span", { class: "note" }, `(${RULES[each.rule] ?? each.rule}) were not joined: ${refusal(each.reason)}.`)));
  return el("div", { class: "reasons" }, ...(rows.length ? rows : [el("p", { class: "empty" }, "One account, heard alone: nothing had to be tied.")]),
    refused.length ? el("h3", {}, "Seen, but not believed") : null, refused.length ? el("ul", { class: "refused" }, ...refused) : null,
    el("p", { class: "note" }, `Judged by rules ${why.rules_version}.`));
}
