// The queue of merge suggestions: two customers side by side, what speaks for one person, and a person's word.

import { get, post, el, svg, count, inWords, newKey } from "./api.js";
import { card } from "./acts.js";
import { say } from "./dialogs.js";
import { refusal } from "./why.js";

const PAGE = 20;
const GROUNDS = { given: "given name", family: "family name", email: "mail", birth: "birth date" };
const LEVELS = { exact: "the same", alias: "another form of the same", close: "nearly the same", rough: "some likeness", different: "different" };

export class ReviewPage {
  constructor(place) { this.place = place; }

  async show() {
    document.title = "Review · Earshot";
    this.cursor = null;
    this.list = el("div", { class: "queue" });
    this.more = el("button", { class: "quiet", type: "button", hidden: true, onclick: () => this.page() }, "Show more");
    this.place.replaceChildren(el("header", { class: "head" }, el("div", {}, el("h1", { tabindex: "-1" }, "Are these one person?"), el("p", { class: "note" }, "The evidence is strong, but not sure. What you say is remembered, and can be taken back on the customer's page."))), this.list, this.more);
    await this.page();
  }

  async page() {
    const told = await get(`/api/crm-sync/merge-suggestions?limit=${PAGE}${this.cursor ? `&cursor=${encodeURIComponent(this.cursor)}` : ""}`);
    this.cursor = told.next_cursor;
    this.more.hidden = !told.next_cursor;
    this.list.append(...told.items.filter((each) => each.customers.length === 2).map((each) => this.pair(each)));
    await this.emptied();
  }

  async emptied() {
    if (this.list.querySelector(".pair")) return;
    if (this.cursor) await this.page();
    else this.list.replaceChildren(el("p", { class: "empty panel" }, "Nothing waits for you: every pair was judged by sure evidence or by a person."));
  }

  pair(each) {
    const error = el("p", { class: "bad", role: "alert" });
    const once = newKey();
    const buttons = [["accept", "Same person", "primary"], ["reject", "Not the same", "quiet"]].map(([verb, words, kind]) => el("button", { class: kind, type: "button", onclick: () => this.judge(each, verb, once, box, error, buttons) }, words));
    const [left, right] = each.customers;
    const open = (view) => el("a", { href: `#/customers/${view.customer_id}` }, "Open");
    const box = el("section", { class: "panel pair", "aria-label": `${left.name || "Somebody"} and ${right.name || "somebody"}` },
      el("div", { class: "sides" }, el("div", { class: "side" }, card(left), open(left)), el("div", { class: "side" }, card(right), open(right))),
      el("div", { class: "grounds" }, el("p", {}, el("b", {}, odds(each.weight)), el("span", { class: "note" }, ` (${each.weight.toFixed(1)} bits after what one expects by chance)`)), ...each.reasons.map(ground), each.refused ? el("p", { class: "bad" }, `Not by score alone: ${refusal(each.refused)}.`) : null, error, el("div", { class: "actions" }, ...buttons)));
    return box;
  }

  async judge(each, verb, once, box, error, buttons) {
    error.textContent = "";
    for (const button of buttons) button.disabled = true;
    try {
      await post(`/api/crm-sync/merge-suggestions/${each.suggestion_id}/${verb}`, undefined, { once: `${once}-${verb}` });
      say(verb === "accept" ? "They are one customer now." : "It is remembered that they are not the same.");
    } catch (problem) {
      if (problem.status !== 404) {
        error.textContent = inWords(problem);
        for (const button of buttons) button.disabled = false;
        return;
      }
      say("Somebody decided it meanwhile, or its evidence has changed.");
    }
    const next = box.nextElementSibling ?? box.previousElementSibling;
    box.remove();
    await this.emptied();
    ((next ?? this.list).querySelector("button") ?? this.place.querySelector("h1")).focus();
  }
}

function odds(bits) {
  const ratio = 2 ** Math.abs(bits);
  const words = ratio >= 1e6 ? "a million" : ratio >= 100 ? count(Number(ratio.toPrecision(2))) : ratio.toFixed(ratio < 10 ? 1 : 0);
  return bits >= 0 ? `About ${words} to 1 that they are one` : `About ${words} to 1 that they are two`;
}

// "given exact +8.6" as a bar to the right (for) or to the left (against).
function ground(reason) {
  const read = /^(.+) ([a-z]+) ([+-]\d+(?:\.\d+)?)$/.exec(reason);
  if (!read) return el("p", { class: "ground" }, reason);
  const [, name, level, weight] = read;
  const length = Math.min(48, Math.abs(Number(weight)) * 2);
  const bar = svg("svg", { viewBox: "0 0 100 8", class: Number(weight) < 0 ? "against" : "for", "aria-hidden": "true" }, svg("line", { x1: 50, x2: 50, y1: 0, y2: 8 }), svg("rect", { x: Number(weight) < 0 ? 50 - length : 50, y: 1, width: length, height: 6, rx: 2 }));
  return el("p", { class: "ground" }, el("span", {}, `${GROUNDS[name] ?? name}: ${LEVELS[level] ?? level}`), bar, el("span", { class: "note" }, weight));
}
