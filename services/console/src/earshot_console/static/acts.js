// What people can do to a customer: each act is a dialog that shows what it would change before it does it.

import { get, post, put, remove, el, count, many, moment, named, inWords } from "./api.js";
import { ask, choice, field, say, setReady } from "./dialogs.js";
import { findCustomers, summary } from "./search.js";
import { KINDS } from "./why.js";

const PURPOSES = ["*", "news", "survey", "outreach", "offers"];
const api = (id, what = "") => `/api/crm-sync/customers/${id}${what}`;
const told = (identifier) => ({ kind: identifier.kind, value: identifier.value });

export class Acts {
  constructor(page) { this.page = page; }

  get customer() { return this.page.customer; }

  async again() { await this.page.show(); }

  async run(dialog, words) {
    const done = await ask({ again: () => this.again(), ...dialog });
    if (!done) return;
    say(words);
    await this.page.show();
  }

  merge() {
    let other = null;
    const shown = el("div", { class: "preview", "aria-live": "polite" });
    const query = el("input", { type: "search", placeholder: "Name, mail, phone, handle or id", maxlength: "200" });
    const found = el("div", { class: "options", role: "radiogroup", "aria-label": "Customers found" });
    const choose = (customer) => { other = customer; this.preview(shown, "/merge/preview", { other: customer.customer_id }); };
    let soon;
    query.addEventListener("input", () => {
      clearTimeout(soon);
      soon = setTimeout(async () => {
        try {
          const items = query.value.trim() ? await findCustomers(query.value.trim(), 6) : [];
          found.replaceChildren(...items.filter((each) => each.customer_id !== this.customer.customer_id).map((each) => option(each, () => choose(each))));
          if (query.value.trim() && !found.children.length) found.replaceChildren(el("p", { class: "empty" }, "Nobody else of that name, mail, phone or handle."));
        } catch (problem) { found.replaceChildren(el("p", { class: "bad" }, inWords(problem))); }
      }, 180);
    });
    return this.run({
      title: "Merge with another customer", note: "Both stay reachable by all their ids, and it can be taken apart again.", wide: true, ready: false, confirm: "Merge them",
      body: el("div", {}, field("The same person as", query), found, shown),
      work: ({ once }) => post(api(this.customer.customer_id, "/merge"), { other: other.customer_id }, { version: this.customer.version, once }),
    }, "They are one customer now.");
  }

  unmerge() {
    const shown = el("div", { class: "preview", "aria-live": "polite" });
    const boxes = this.customer.identifiers.filter((each) => !each.shared).map((each) => ({ each, box: el("input", { type: "checkbox" }) }));
    const chosen = () => boxes.filter(({ box }) => box.checked).map(({ each }) => told(each));
    const list = el("div", { class: "options" }, ...boxes.map(({ each, box }) => el("label", {}, box, el("span", { class: "kind" }, KINDS[each.kind] ?? each.kind), el("span", { class: "value" }, each.value))));
    list.addEventListener("change", () => {
      if (chosen().length) this.preview(shown, "/unmerge/preview", { identifiers: chosen() });
      else { shown.replaceChildren(); setReady(list, false); }
    });
    return this.run({
      title: "Take apart", note: "Choose what is somebody else's. Handles go with their account; what was said goes with whoever said it.", wide: true, ready: false, confirm: "Take apart",
      body: el("div", {}, list, shown),
      work: ({ once }) => post(api(this.customer.customer_id, "/unmerge"), { identifiers: chosen() }, { version: this.customer.version, once }),
    }, "They are apart, and it is remembered that they are not the same.");
  }

  // Shows customers before and after; the dialog's button works only when something would change and nothing forbids it.
  async preview(shown, path, body) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    setReady(shown, false);
    shown.replaceChildren(el("p", { class: "empty" }, "Looking at what it would change…"));
    try {
      const seen = await post(api(this.customer.customer_id, path), body);
      if (turn !== this.turn) return;
      const own = new Set(this.customer.identifiers.map((each) => each.value));
      const ownFirst = (views) => [...views].sort((a, b) => share(b, own) - share(a, own));
      const side = (title, views) => el("div", { class: "side" }, el("h3", {}, title), ...views.map(card));
      const refused = seen.refused.map((each) => el("p", { class: "bad" }, each.detail));
      if (seen.changes_nothing) shown.replaceChildren(el("p", { class: "empty" }, "It would change nothing."), ...refused);
      else shown.replaceChildren(...refused, el("div", { class: "sides" }, side("Now", ownFirst(seen.before)), side("Afterwards", ownFirst(seen.after))));
      setReady(shown, !seen.changes_nothing && !refused.length);
    } catch (problem) {
      if (turn === this.turn) shown.replaceChildren(el("p", { class: "bad", role: "alert" }, inWords(problem)));
    }
  }

  identifierChoice(first) {
    const options = this.customer.identifiers.filter((each) => !each.shared).map((each, index) => [String(index), `${KINDS[each.kind] ?? each.kind} ${each.value}`]);
    const own = this.customer.identifiers.filter((each) => !each.shared);
    const control = choice([["", first], ...options], "");
    return { control, chosen: () => (control.value === "" ? null : told(own[Number(control.value)])) };
  }

  lock() {
    const locked = !this.customer.locked;
    const bound = this.identifierChoice("the customer's first identifier");
    return this.run({
      title: locked ? "Lock this customer" : "Unlock this customer",
      note: locked ? "No evidence joins or parts it any more; people still can." : "Evidence joins and parts it again from now on.",
      confirm: locked ? "Lock" : "Unlock", body: locked ? field("Bound to", bound.control, "The lock stays with this identifier if the customer is ever taken apart.") : null,
      work: ({ once }) => post(api(this.customer.customer_id, "/lock"), { locked, identifier: locked ? bound.chosen() : null }, { version: this.customer.version, once }),
    }, locked ? "It is locked." : "It is unlocked.");
  }

  consent() {
    const bound = this.identifierChoice("all of them (only to forbid)");
    const purpose = el("input", { type: "text", required: true, maxlength: "512", list: "purposes", value: "news" });
    const brand = el("input", { type: "text", required: true, maxlength: "512", value: "*" });
    const granted = choice([["no", "forbids it"], ["yes", "allows it"]], "no");
    const proof = el("textarea", { rows: "2", maxlength: "2000" });
    return this.run({
      title: "Record a consent", note: "The strictest word of the whole customer holds. To allow needs one identifier and its proof.", confirm: "Record it",
      body: el("div", { class: "grid2" }, field("The customer", granted), field("Purpose", purpose, "* is everything"), field("Brand", brand, "* is every brand"), field("For", bound.control),
        el("div", { class: "whole" }, field("Proof", proof, "Where and how it was said")), el("datalist", { id: "purposes" }, ...PURPOSES.map((value) => el("option", { value })))),
      work: ({ once }) => put(api(this.customer.customer_id, "/consents"), { purpose: purpose.value, brand: brand.value, granted: granted.value === "yes", identifier: bound.chosen(), proof: proof.value }, { version: this.customer.version, once }),
    }, "It is recorded.");
  }

  edit() {
    const name = el("input", { type: "text", required: true, maxlength: "64", pattern: "[a-z][a-z0-9_]*", value: "name", list: "field-names" });
    const value = el("input", { type: "text", maxlength: "512", value: this.customer.fields.name?.value ?? "" });
    name.addEventListener("input", () => { const known = this.customer.fields[name.value]; if (known) value.value = known.value; });
    const bound = this.identifierChoice("the customer's first identifier");
    return this.run({
      title: "Set a value by hand", note: "It wins over what any source says, until you take it back by leaving the value empty.", confirm: "Set it",
      body: el("div", { class: "grid2" }, field("Field", name, "small letters"), field("Value", value), field("Bound to", bound.control, "It stays with this identifier."), el("datalist", { id: "field-names" }, ...Object.keys(this.customer.fields).map((each) => el("option", { value: each })))),
      work: ({ once }) => put(api(this.customer.customer_id, "/fields"), { fields: { [name.value]: value.value.trim() || null }, identifier: bound.chosen() }, { version: this.customer.version, once }),
    }, "It is set.");
  }

  async erase() {
    const wanted = this.customer.name || this.customer.accounts[0]?.handle || "forget";
    const typed = el("input", { type: "text", autocomplete: "off", "aria-label": `Type ${wanted} to confirm` });
    typed.addEventListener("input", () => setReady(typed, typed.value.trim() === wanted));
    const asked = await ask({
      title: "Forget this customer", danger: true, ready: false, confirm: "Forget for ever", again: () => this.again(),
      note: `Everything said and known until now (${many(this.customer.feedback_count, "item")}) is erased here and in every service. It cannot be undone. Keyed hashes stay, so that nothing older comes back.`,
      body: field(`Type “${wanted}” to confirm`, typed),
      work: ({ once }) => remove(api(this.customer.customer_id), { version: this.customer.version, once }),
    });
    if (asked) location.hash = `#/erasures/${asked.erasure_id}`;
  }
}

function option(customer, chosen) {
  return el("label", {}, el("input", { type: "radio", name: "other", onchange: chosen }), el("span", {}, el("b", {}, customer.name || "(no name)"), el("small", { class: "note" }, summary(customer))));
}

// How many of some identifiers a customer has.
const share = (view, values) => view.identifiers.filter((each) => values.has(each.value)).length;

// One customer as previews and suggestions show it.
export function card(view) {
  const rows = view.identifiers.slice(0, 12).map((each) => el("li", {}, el("span", { class: "kind" }, KINDS[each.kind] ?? each.kind), el("span", { class: "value" }, each.value), each.verified ? el("span", { class: "good", title: "verified" }, "✓") : null));
  const more = view.identifiers.length - rows.length;
  const fields = Object.entries(view.fields).filter(([name]) => !["name", "handle", "email", "phone"].includes(name)).slice(0, 6).map(([name, value]) => `${named(name)}: ${value.value}`);
  return el("article", { class: "view" }, el("h4", {}, view.name || "(no name)"), el("p", { class: "note" }, many(view.feedback_count, "item")), el("ul", { class: "ids small" }, ...rows), more > 0 ? el("p", { class: "note" }, `and ${count(more)} more`) : null, fields.length ? el("p", { class: "note" }, fields.join(" · ")) : null);
}

// The page of one erasure: what each service says it erased.
export class ErasurePage {
  constructor(place, id) { this.place = place; this.id = id; }

  async show() {
    const seen = await get(`/api/crm-sync/erasures/${this.id}`);
    document.title = "An erasure · Earshot";
    const rows = seen.receipts.map((each) => el("tr", {}, el("th", { scope: "row" }, each.service), el("td", {}, moment(each.at)), el("td", {}, Object.entries(each.counts).map(([name, n]) => `${count(n)} ${name}`).join(", "))));
    this.place.replaceChildren(el("header", { class: "head" }, el("div", {}, el("h1", { tabindex: "-1" }, "Forgotten"), el("p", { class: "note" }, `Asked for ${moment(seen.requested_at)}, ${many(seen.identifiers, "identifier")}; only keyed hashes of them are kept.`))),
      el("section", { class: "panel" }, el("h2", {}, "Receipts"), el("table", { class: "fields" }, el("tbody", { id: "receipts" }, ...rows)), el("p", { class: "note" }, "Services that have not answered yet are shown as soon as they do.")));
    clearTimeout(this.soon);
    this.soon = setTimeout(() => { if (this.place.querySelector("#receipts")) this.show().catch(() => {}); }, 4000);
  }
}
