// What the board shows: tiles, feed, cases with their clocks, leaders, merged customers. Everything is set as text, never as markup.

import { get, el, svg, count, many, short, span, ago, clip, inWords } from "./api.js";
import { caseRow, secondsLeft } from "./cases.js";
import { Flow } from "./flow.js";

const $ = (id) => document.getElementById(id);
const FEED_ROWS = 60, SPARK_S = 120, CASES_A_TEAM = 6, MERGES = 12;

export class Board {
  constructor(openCustomer, tellTrouble) {
    this.openCustomer = openCustomer;
    this.tellTrouble = tellTrouble;
    this.troubles = new Map();
    this.flow = new Flow($("flow"), $("flow-count"));
    this.cases = new Map();
    this.waiting = [];
    this.perSecond = new Array(SPARK_S).fill(0);
    this.boardName = "helpful";
    this.merges = new Map();
    this.held = false;
    $("hold").addEventListener("click", () => { this.held = !this.held; $("hold").setAttribute("aria-pressed", this.held); $("hold").textContent = this.held ? "Go on" : "Hold"; });
    for (const [moment, over] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
      $("feed").addEventListener(moment, () => { this.pointed = over; }); // nothing moves under a pointer that is about to click
    }
    for (const tab of document.querySelectorAll("[data-board]")) tab.addEventListener("click", () => this.chooseBoard(tab.dataset.board));
    setInterval(() => this.tick(), 1000);
    setInterval(() => this.refreshFigures(), 5000);
    setInterval(() => this.refreshLeaders(), 4000);
  }

  async begin() {
    await Promise.all([this.refreshFigures(), this.refreshLeaders(), this.loadCases(), this.loadMerges()]);
  }

  // What cannot be asked now stays as it was; that it did not answer is told until it does.
  async quietly(what, work) {
    try { await work(); this.troubles.delete(what); } catch (problem) {
      if (problem.status === 401) location.reload();
      if (problem.status !== 403) this.troubles.set(what, inWords(problem));
    }
    this.tellTrouble([...this.troubles.values()][0] ?? "");
  }

  refreshFigures() {
    return Promise.all([
      this.quietly("ingest", async () => {
        const ingest = await get("/api/ingest/stats");
        $("heard").textContent = short(ingest.accepted);
      }),
      this.quietly("crm-sync", async () => {
        const crm = await get("/api/crm-sync/stats");
        $("customers").textContent = short(crm.customers);
        $("identifiers").textContent = short(crm.identifiers);
      }),
      this.quietly("triage", async () => this.showLevels((await get("/api/triage/metrics/service-levels?by=team&limit=100")).items)),
    ]);
  }

  showLevels(teams) {
    const total = teams.reduce((sum, row) => sum + row.cases, 0);
    const within = teams.reduce((sum, row) => sum + (row.within_target ?? 0) * row.cases, 0);
    const answered = teams.filter((row) => row.answered).sort((a, b) => b.answered - a.answered)[0];
    const share = total ? Math.round((100 * within) / total) : null;
    $("in-time").textContent = share === null ? "–" : `${share} %`;
    $("in-time-bar").style.width = `${share ?? 0}%`;
    $("median").textContent = answered?.median_first_response_s != null ? span(answered.median_first_response_s) : "–";
  }

  // ---- what comes in
  takeItem(decision) {
    const item = decision.item;
    if (!item || item.withdrawn || item.erased) return;
    this.perSecond[SPARK_S - 1] += 1;
    if (!ours(item)) this.flow.add({ channel: item.channel, intent: decision.intent, routes: decision.routes });
    this.waiting.push(decision);
    if (this.waiting.length > FEED_ROWS) this.waiting.splice(0, this.waiting.length - FEED_ROWS);
  }

  paintFeed() {
    if (this.held || this.pointed || !this.waiting.length) return;
    const feed = $("feed");
    for (const decision of this.waiting) feed.prepend(this.feedRow(decision));
    this.waiting = [];
    while (feed.children.length > FEED_ROWS) feed.lastChild.remove();
  }

  feedRow(decision) {
    const { item } = decision;
    const who = item.author?.handle ? `@${item.author.handle}` : item.author?.name ?? item.author_key;
    const routes = decision.routes?.length ? `→ ${decision.routes.join(", ")}` : "";
    const row = el("li", { class: "new", tabindex: "0" },
      el("div", { class: "meta" }, el("span", { class: "chip" }, item.channel), el("b", {}, clip(who, 40)), item.brand ? `to ${clip(item.brand, 30)}` : null,
        ours(item) ? el("span", { class: "chip praise" }, "our answer") : el("span", { class: `chip ${decision.intent}` }, decision.intent), ours(item) ? "" : routes),
      el("p", { class: "said", dir: "auto" }, clip(item.text || item.title || "(no words)")));
    const open = () => this.openCustomer({ feedback: item.feedback_id });
    row.addEventListener("click", open);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") open(); });
    return row;
  }

  // ---- cases
  loadCases() {
    return this.quietly("cases", async () => {
      let cursor = "";
      for (let page = 0; page < 4; page += 1) {
        const told = await get(`/api/triage/cases?status=open&limit=250${cursor}`);
        for (const each of told.items) this.cases.set(each.case_id, each);
        this.moreCases = told.next_cursor !== null; // older ones than the page keeps
        if (!told.next_cursor) break;
        cursor = `&cursor=${encodeURIComponent(told.next_cursor)}`;
      }
      this.paintCases();
    });
  }

  takeCase(id, change) {
    if (!change || change.withdrawn || change.merged_into || change.status !== "open") this.cases.delete(id);
    else if ((this.cases.get(id)?.version ?? 0) <= change.version) this.cases.set(id, change);
    this.casesChanged = true;
  }

  paintCases() {
    const now = Date.now();
    const teams = new Map();
    let late = 0, open = 0;
    for (const each of this.cases.values()) {
      if (each.stance && each.stance !== "respond") continue;
      open += 1;
      each.left = secondsLeft(each, now);
      if (each.left !== null && each.left < 0) late += 1;
      const team = each.team ?? "no team yet";
      if (!teams.has(team)) teams.set(team, []);
      teams.get(team).push(each);
    }
    $("open-cases").textContent = `${short(open)}${this.moreCases ? "+" : ""}`;
    $("overdue").textContent = count(late);
    const columns = [...teams].sort((a, b) => b[1].length - a[1].length).map(([team, cases]) => {
      cases.sort((a, b) => urgency(a) - urgency(b) || (b.priority ?? 0) - (a.priority ?? 0));
      return el("div", { class: "team" }, el("h3", {}, team, el("span", {}, `${count(cases.length)} open`)), ...cases.slice(0, CASES_A_TEAM).map(caseRow));
    });
    $("teams").replaceChildren(...(columns.length ? columns : [el("p", { class: "empty" }, "No case waits for an answer.")]));
  }

  // ---- leaders
  chooseBoard(name) {
    this.boardName = name;
    for (const tab of document.querySelectorAll("[data-board]")) tab.setAttribute("aria-pressed", tab.dataset.board === name);
    this.refreshLeaders();
  }

  refreshLeaders() {
    return this.quietly("leaders", async () => {
      const { items } = await get(`/api/recognition/leaderboards/${this.boardName}?limit=8`);
      const most = items[0]?.points ?? 1;
      $("leaders").replaceChildren(...(items.length ? items.map((place) => {
        const bar = el("i");
        bar.style.width = `${(100 * place.points) / most}%`;
        return el("li", {}, el("span", { class: "note" }, String(place.rank)), el("span", { class: "name", title: place.author_key }, place.name || place.author_key), el("b", {}, count(place.points)), el("span", { class: "track" }, bar));
      }) : [el("li", { class: "empty" }, "Nobody yet: points come with the first answers.")]));
    });
  }

  // ---- merged customers
  loadMerges() {
    return this.quietly("merges", async () => {
      const { items } = await get(`/api/crm-sync/customers?merged=true&limit=${MERGES}`);
      for (const customer of items.reverse()) this.takeCustomer(customer.customer_id, customer);
      this.paintMerges();
    });
  }

  takeCustomer(id, customer) {
    this.mergesChanged = this.merges.delete(id) || this.mergesChanged;
    if (new Set((customer?.accounts ?? []).map((account) => account.channel)).size < 2) return; // gone, joined elsewhere, or taken apart
    this.merges.set(id, customer);
    while (this.merges.size > MERGES) this.merges.delete(this.merges.keys().next().value);
    this.mergesChanged = true;
  }

  paintMerges() {
    const cards = [...this.merges].reverse().map(([id, customer]) => {
      const chips = (customer.accounts ?? []).slice(0, 5).map((account) => el("span", { class: "chip" }, `${account.channel} ${account.handle ? `@${account.handle}` : account.account_id ?? ""}`));
      const card = el("li", { tabindex: "0", onclick: () => this.openCustomer({ id }) }, el("b", {}, customer.name || "(no name)"), el("p", { class: "note" }, `${many(customer.feedback_count, "item")}, last ${ago(customer.last_seen_at)}`), el("div", { class: "chips" }, ...chips));
      card.addEventListener("keydown", (event) => { if (event.key === "Enter") this.openCustomer({ id }); });
      return card;
    });
    $("merges").replaceChildren(...(cards.length ? cards : [el("li", { class: "empty" }, "Nobody has been recognised on two channels yet.")]));
  }

  // ---- time passes
  tick() {
    this.paintFeed();
    this.paintCases();
    if (this.mergesChanged) { this.mergesChanged = false; this.paintMerges(); }
    $("rate").textContent = count(this.perSecond.slice(-60).reduce((sum, n) => sum + n, 0));
    const most = Math.max(1, ...this.perSecond);
    const points = this.perSecond.map((n, x) => `${(x * 120) / (SPARK_S - 1)},${31 - (28 * n) / most}`);
    $("spark").replaceChildren(svg("path", { d: `M0,33L${points.join("L")}L120,33Z` }));
    this.perSecond.push(0);
    this.perSecond.shift();
  }
}

const ours = (item) => item.author?.on_behalf_of_brand || item.author?.is_staff;
const urgency = (each) => each.left ?? 1e12;
