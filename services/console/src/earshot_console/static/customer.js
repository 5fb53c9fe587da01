// The page of one customer: who it is, where every value comes from, why it is one, what was said and what was done.

import { get, el, count, many, ago, moment, did, named, inWords } from "./api.js";
import { Acts } from "./acts.js";
import { KINDS, picture, sentences } from "./why.js";

const PAGE = 30, MOST_IDENTIFIERS = 300, MOST_ACTS = 20, REST_MS = 2500;

export class CustomerPage {
  constructor(place, id) {
    this.place = place;
    this.id = id;
    this.acts = new Acts(this);
  }

  async show() {
    const customer = await get(`/api/crm-sync/customers/${this.id}`);
    this.customer = customer;
    if (customer.customer_id !== this.id) history.replaceState(null, "", `#/customers/${customer.customer_id}`); // an older id leads here
    this.id = customer.customer_id;
    document.title = `${customer.name || "A customer"} · Earshot`;
    this.cursor = null;
    this.timelineList = el("ol", { id: "timeline", class: "timeline" });
    this.moreButton = el("button", { class: "quiet", type: "button", hidden: true, onclick: () => this.timeline() }, "Show earlier");
    this.whyPlace = el("div", {}, el("p", { class: "empty" }, "…"));
    this.historyPlace = el("div", {}, el("p", { class: "empty" }, "…"));
    this.place.replaceChildren(
      this.heading(customer),
      el("div", { class: "sheet" },
        el("div", { class: "column" }, this.identifiers(customer), this.golden(customer), this.consents(customer), this.standing(customer)),
        el("section", { class: "panel", "aria-labelledby": "said-title" }, el("h2", { id: "said-title" }, "Everything heard"), this.timelineList, this.moreButton),
        el("section", { class: "panel whole", "aria-labelledby": "why-title" }, el("h2", { id: "why-title" }, "Why these are one person"), this.whyPlace),
        el("section", { class: "panel whole", "aria-labelledby": "history-title" }, el("h2", { id: "history-title" }, "What was done"), this.historyPlace)));
    await Promise.all([this.timeline(), this.why(), this.history()]);
  }

  // Something came in: shown as soon as nobody is in the middle of something.
  changed() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      if (!this.place.isConnected || document.querySelector("dialog[open]") || this.place.querySelector(":focus:not(h1)")) return;
      this.show().catch(() => {});
    }, REST_MS);
  }

  heading(customer) {
    const act = (words, what, kind = "quiet") => el("button", { class: kind, type: "button", onclick: () => this.acts[what]() }, words);
    const others = customer.names.filter((name) => name.toLowerCase() !== customer.name?.toLowerCase());
    const chips = [...customer.roles.map((role) => el("span", { class: "chip praise" }, role)), customer.locked ? el("span", { class: "chip warn" }, "locked") : null];
    return el("header", { class: "head" },
      el("div", {}, el("h1", { tabindex: "-1" }, customer.name || customer.accounts[0]?.handle || "(no name)", " ", ...chips.filter(Boolean)),
        el("p", { class: "note" }, `${many(customer.feedback_count, "item")} · ${customer.first_seen_at ? `first heard ${moment(customer.first_seen_at)}, last ${ago(customer.last_seen_at)}` : "known from records alone"}`),
        others.length ? el("p", { class: "note" }, `Also called ${others.slice(0, 8).join(", ")}`) : null),
      el("div", { class: "actions", role: "group", "aria-label": "What can be done" },
        act("Merge…", "merge", "primary"), act("Take apart…", "unmerge"), act(customer.locked ? "Unlock…" : "Lock…", "lock"), act("Consents…", "consent"), act("Edit…", "edit"),
        el("a", { class: "quiet", href: `/api/crm-sync/customers/${customer.customer_id}/export`, download: `customer-${customer.customer_id}.json` }, "Export"), act("Forget…", "erase", "quiet danger")));
  }

  identifiers(customer) {
    const rows = customer.identifiers.slice(0, MOST_IDENTIFIERS).map((each) => el("li", {},
      el("span", { class: "kind" }, KINDS[each.kind] ?? each.kind), el("span", { class: "value" }, each.value),
      el("span", { class: "marks" }, each.shared ? el("span", { class: "chip warn", title: "Too many people show it, so it ties nobody" }, "shared") : el("span", { class: each.verified ? "chip verified" : "chip", title: each.verified ? "somebody vouches for it" : "only claimed" }, each.verified ? "verified" : "claimed"),
        el("span", { class: "note" }, each.sources.join(", ")))));
    return el("section", { class: "panel", "aria-labelledby": "ids-title" }, el("h2", { id: "ids-title" }, "Identifiers ", el("small", {}, count(customer.identifiers.length))), el("ul", { class: "ids" }, ...rows));
  }

  golden(customer) {
    const rows = Object.entries(customer.fields).map(([name, field]) => el("tr", {}, el("th", { scope: "row" }, named(name)), el("td", {}, field.value), el("td", { class: "note" }, `${field.source}, ${moment(field.updated_at)}`)));
    return el("section", { class: "panel", "aria-labelledby": "golden-title" }, el("h2", { id: "golden-title" }, "What we know, and from where"),
      el("table", { class: "fields" }, el("thead", { class: "unseen" }, el("tr", {}, ...["Field", "Value", "From"].map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...rows)));
  }

  consents(customer) {
    const groups = new Map(); // one word of a person about many identifiers stands once
    for (const each of customer.consents) {
      const key = JSON.stringify([each.purpose, each.brand, each.granted, each.allowed, each.at, each.proof, each.source]);
      groups.set(key, [...(groups.get(key) ?? []), each]);
    }
    const rows = [...groups.values()].map(([each, ...more]) => el("li", {}, el("span", { class: each.allowed ? "chip praise" : "chip complaint" }, each.allowed ? "allowed" : each.granted ? "overruled" : "forbidden"),
      el("span", {}, el("b", {}, each.purpose === "*" ? "everything" : each.purpose), each.brand === "*" ? " for every brand" : ` for ${each.brand}`, el("br"), el("span", { class: "note" }, `${more.length ? `${each.value} and ${count(more.length)} more` : each.value} · ${moment(each.at)} · ${each.source}${each.proof ? ` · “${each.proof}”` : ""}`))));
    return el("section", { class: "panel", "aria-labelledby": "consents-title" }, el("h2", { id: "consents-title" }, "Consents"),
      rows.length ? el("ul", { class: "consents" }, ...rows) : el("p", { class: "empty" }, "None recorded. The strictest word of the whole customer holds."));
  }

  standing(customer) {
    if (!customer.recognition.length) return "";
    const rows = customer.recognition.map((each) => el("li", {}, el("b", {}, each.tier ?? "no tier"), el("span", { class: "note" }, ` as ${each.author_key}${each.advocate_stage ? `, ${each.advocate_stage}` : ""}`), ...each.badges.map((badge) => el("span", { class: "chip praise" }, badge))));
    return el("section", { class: "panel", "aria-labelledby": "standing-title" }, el("h2", { id: "standing-title" }, "Standing in the community"), el("ul", { class: "standing" }, ...rows));
  }

  async timeline() {
    try {
      const cursor = this.cursor ? `&cursor=${encodeURIComponent(this.cursor)}` : "";
      const told = await get(`/api/crm-sync/customers/${this.id}/timeline?limit=${PAGE}${cursor}`);
      this.timelineList.append(...told.items.map((each) => el("li", {},
        el("div", { class: "meta" }, el("span", { class: "chip" }, each.channel), el("span", { class: `chip ${each.intent}` }, each.intent), el("time", { datetime: each.occurred_at }, moment(each.occurred_at)), each.case_id ? el("a", { href: `#/cases/${each.case_id}` }, "case") : null),
        el("p", { dir: "auto" }, each.text || "(no words)"))));
      if (!this.timelineList.children.length) this.timelineList.append(el("li", { class: "empty" }, "Nothing was said yet."));
      this.cursor = told.next_cursor;
      this.moreButton.hidden = !told.next_cursor;
    } catch (problem) { this.timelineList.append(el("li", { class: "bad" }, inWords(problem))); }
  }

  async why() {
    try {
      const why = await get(`/api/crm-sync/customers/${this.id}/why`);
      const drawn = picture(why);
      this.whyPlace.replaceChildren(...(drawn ? [drawn] : []), sentences(why));
    } catch (problem) { this.whyPlace.replaceChildren(el("p", { class: "bad" }, inWords(problem))); }
  }

  async history() {
    try {
      const told = await get(`/api/crm-sync/customers/${this.id}/history`);
      const acts = told.acts.map((act) => ({ at: act.at, row: [el("b", {}, act.actor), ` ${did(act.verb)}`] }));
      const moves = told.moves.map((move) => ({ at: move.at, row: [el("span", {}, move.into_id ? "An id was joined to this customer" : "An id lost its last holder"), el("span", { class: "note", title: move.cause }, ` — ${because(move.cause)}`), " ", el("code", { title: move.customer_id }, move.customer_id.slice(0, 8))] }));
      const rows = [...acts, ...moves].sort((a, b) => (a.at < b.at ? 1 : -1)).map((each) => el("li", {}, el("time", { class: "note", datetime: each.at }, moment(each.at)), el("span", {}, ...each.row)));
      const list = el("ol", { class: "history" }, ...rows.slice(0, MOST_ACTS));
      const rest = rows.length > MOST_ACTS ? el("button", { class: "quiet", type: "button", onclick: () => { list.append(...rows.slice(MOST_ACTS)); rest.remove(); } }, `Show all ${count(rows.length)}`) : null;
      this.historyPlace.replaceChildren(...(rows.length ? [list, rest].filter(Boolean) : [el("p", { class: "empty" }, "Nobody changed anything, and no id ever moved.")]));
    } catch (problem) { this.historyPlace.replaceChildren(el("p", { class: "bad" }, inWords(problem))); }
  }
}

// "same by Pat" is a person's word; anything else names what came in.
function because(cause) {
  const [, verb, who] = /^(\w+) by (.+)$/.exec(cause) ?? [];
  if (who) return `${who} ${verb === "erased" ? "had it forgotten" : did(verb)}`;
  const [, kind, rules] = /^(evidence|contact): (.*) \(rules/.exec(cause) ?? [];
  return `by ${kind === "contact" ? "a record of another system" : "evidence"}${rules ? ` (${rules})` : ""}`;
}
