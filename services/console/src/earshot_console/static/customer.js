// One customer: found by words, shown with identifiers, the reasons they belong together, and everything heard.

import { get, el, count, ago, clip } from "./api.js";

const $ = (id) => document.getElementById(id);
const FOUND = 8, PAGE = 30;

export class Customers {
  constructor() {
    this.dialog = $("customer");
    this.asked = 0;
    $("close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    $("more").addEventListener("click", () => this.timeline());
    const query = $("query");
    query.addEventListener("input", () => { clearTimeout(this.soon); this.soon = setTimeout(() => this.find(query.value.trim()), 180); });
    query.addEventListener("keydown", (event) => this.steer(event));
    $("search").addEventListener("submit", (event) => { event.preventDefault(); $("found").querySelector("[aria-selected=true]")?.click(); });
    document.addEventListener("click", (event) => { if (!$("search").contains(event.target)) this.hideFound(); });
    document.addEventListener("keydown", (event) => { if (event.key === "/" && event.target === document.body) { event.preventDefault(); query.focus(); } });
  }

  hideFound() { $("found").hidden = true; $("query").setAttribute("aria-expanded", "false"); }

  steer(event) {
    const rows = [...$("found").children];
    const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") this.hideFound();
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || !rows.length) return;
    event.preventDefault();
    rows.forEach((row) => row.removeAttribute("aria-selected"));
    rows[(at + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % rows.length].setAttribute("aria-selected", "true");
  }

  async find(words) {
    if (!words) { this.hideFound(); return; }
    const asked = ++this.asked;
    let rows;
    try {
      const { items } = await get(`/api/crm-sync/customers?q=${encodeURIComponent(words)}&limit=${FOUND}`);
      rows = items.map((customer, index) => el("li", { role: "option", "aria-selected": index === 0 ? "true" : null, onclick: () => { this.hideFound(); this.open({ id: customer.customer_id }); } },
        el("b", {}, customer.name || "(no name)"), el("small", {}, `${count(customer.feedback_count)} items · ${(customer.identifiers ?? []).map((each) => each.value).slice(0, 4).join(" · ")}`)));
      if (!rows.length) rows = [el("li", {}, el("small", {}, "Nobody of that name, mail or handle."))];
    } catch (problem) { rows = [el("li", {}, el("small", {}, problem.message))]; }
    if (asked !== this.asked) return;
    $("found").replaceChildren(...rows);
    $("found").hidden = false;
    $("query").setAttribute("aria-expanded", "true");
  }

  async open({ id, feedback }) {
    try {
      const customerId = id ?? (await get(`/api/crm-sync/feedback/${feedback}`)).customer_id;
      const customer = await get(`/api/crm-sync/customers/${customerId}`);
      this.show(customer);
    } catch (problem) { this.show({ name: "Not found", names: [], identifiers: [], accounts: [], told: problem.message }); }
  }

  show(customer) {
    this.customer = customer;
    this.cursor = null;
    $("customer-name").textContent = customer.name || customer.accounts?.[0]?.handle || "(no name)";
    $("customer-facts").textContent = customer.told ?? `${count(customer.feedback_count)} items · first heard ${ago(customer.first_seen_at)} · last ${ago(customer.last_seen_at)}`;
    $("customer-identifiers").replaceChildren(...(customer.identifiers ?? []).slice(0, 40).map((each) => el("span", { class: `chip ${each.verified ? "verified" : ""}`, title: each.verified ? "verified" : "as claimed" }, `${each.kind} ${each.value}`)));
    $("customer-standing").replaceChildren(...(customer.recognition?.tier ? [el("h3", {}, "Standing"), el("p", {}, `${customer.recognition.tier} · ${count(customer.recognition.points?.helpful)} helpful, ${count(customer.recognition.points?.active)} active`)] : []));
    $("customer-why").replaceChildren();
    $("timeline").replaceChildren();
    if (!this.dialog.open) this.dialog.showModal();
    if (customer.customer_id) { this.why(); this.timeline(); }
  }

  async why() {
    try {
      const told = await get(`/api/crm-sync/customers/${this.customer.customer_id}/why`);
      const rows = (told.items ?? told.identifiers ?? []).slice(0, 30).map((each) => el("li", {}, `${each.kind ?? ""} ${each.value ?? ""}: ${clip(reason(each), 200)}`));
      $("customer-why").replaceChildren(...(rows.length ? rows : [el("li", {}, "One account, heard alone.")]));
    } catch (problem) { $("customer-why").replaceChildren(el("li", {}, problem.message)); }
  }

  async timeline() {
    try {
      const cursor = this.cursor ? `&cursor=${encodeURIComponent(this.cursor)}` : "";
      const told = await get(`/api/crm-sync/customers/${this.customer.customer_id}/timeline?limit=${PAGE}${cursor}`);
      $("timeline").append(...told.items.map((each) => el("li", {}, el("div", { class: "meta" }, el("span", { class: "chip" }, each.channel), each.intent ? el("span", { class: `chip ${each.intent}` }, each.intent) : null, new Date(each.occurred_at).toLocaleString()), el("p", { dir: "auto" }, each.text || "(no words)"))));
      this.cursor = told.next_cursor;
      $("more").hidden = !told.next_cursor;
    } catch (problem) { $("timeline").append(el("li", {}, problem.message)); }
  }
}

function reason(each) {
  const path = each.evidence ?? each.path ?? each.reasons ?? [];
  if (typeof path === "string") return path;
  if (!path.length) return each.reason ?? "the first thing heard of this customer";
  return path.map((step) => (typeof step === "string" ? step : step.reason ?? step.rule ?? JSON.stringify(step))).join(" → ");
}
