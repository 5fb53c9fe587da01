// The search box above everything: a customer by name, mail, phone, handle, record or id.

import { get, el, many, inWords } from "./api.js";

const $ = (id) => document.getElementById(id);
const FOUND = 8;

export class Search {
  constructor(open) {
    this.open = open;
    this.asked = 0;
    const query = $("query");
    query.addEventListener("input", () => { clearTimeout(this.soon); this.soon = setTimeout(() => this.find(query.value.trim()), 180); });
    query.addEventListener("keydown", (event) => this.steer(event));
    $("search").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.shown !== query.value.trim()) { clearTimeout(this.soon); await this.find(query.value.trim()); } // Enter was faster than the list
      $("found").querySelector("[aria-selected=true]")?.click();
    });
    document.addEventListener("click", (event) => { if (!$("search").contains(event.target)) this.hide(); });
    document.addEventListener("keydown", (event) => { if (event.key === "/" && event.target === document.body) { event.preventDefault(); query.focus(); } });
  }

  hide() { $("found").hidden = true; $("query").setAttribute("aria-expanded", "false"); $("query").removeAttribute("aria-activedescendant"); }

  steer(event) {
    const rows = [...$("found").querySelectorAll("[data-id]")];
    if (event.key === "Escape") this.hide();
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || !rows.length) return;
    event.preventDefault();
    const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    rows.forEach((row) => row.setAttribute("aria-selected", "false"));
    const chosen = rows[(at + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % rows.length];
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    $("query").setAttribute("aria-activedescendant", chosen.id);
  }

  async find(words) {
    const asked = ++this.asked;
    if (!words) { $("found").replaceChildren(); this.shown = ""; this.hide(); return; }
    let rows;
    try {
      const items = await findCustomers(words, FOUND);
      rows = items.map((customer, index) => el("li", { role: "option", id: `found-${index}`, "data-id": customer.customer_id, "aria-selected": index === 0 ? "true" : "false", onclick: () => { this.hide(); this.open(customer.customer_id); } },
        el("b", {}, customer.name || "(no name)"), el("small", {}, summary(customer))));
      if (!rows.length) rows = [el("li", {}, el("small", {}, "Nobody of that name, mail, phone or handle."))];
    } catch (problem) { rows = [el("li", {}, el("small", {}, inWords(problem)))]; }
    if (asked !== this.asked) return;
    this.shown = words;
    $("found").replaceChildren(...rows);
    $("found").hidden = false;
    $("query").setAttribute("aria-expanded", "true");
  }
}

export async function findCustomers(words, limit) {
  return (await get(`/api/crm-sync/customers?q=${encodeURIComponent(words)}&limit=${limit}`)).items;
}

export function summary(customer) {
  return `${many(customer.feedback_count, "item")} · ${(customer.identifiers ?? []).map((each) => each.value).slice(0, 4).join(" · ")}`;
}
