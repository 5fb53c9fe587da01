// Cases: the list with clocks, how each team does, and the page of one case with everything that can be done about it.

import { get, post, el, svg, count, many, span, ago, moment, clip, did, inWords, newKey } from "./api.js";
import { ask, choice, field, say } from "./dialogs.js";

const PAGE = 40, REST_MS = 1500;
const RING = 2 * Math.PI * 17;
const STATUS = { open: "waits for us", waiting: "waits for the customer", resolved: "resolved", closed: "closed" };

// The installation's own teams, which stand among its rules; asked for once a visit. None to choose from is no reason to show nothing.
let teams;
async function allTeams() {
  try { teams ??= (await get("/api/triage/rules")).rules.teams; } catch { return []; }
  return teams;
}

// Seconds until the first response is due (negative: late), null when no clock runs.
export function secondsLeft(each, now = Date.now()) {
  if (each.first_response_at || each.resolved_at || !each.first_response_due_at) return null;
  return (new Date(each.first_response_due_at) - now) / 1000;
}

export function clock(each) {
  const left = secondsLeft(each);
  const whole = each.first_response_due_at ? (new Date(each.first_response_due_at) - new Date(each.opened_at)) / 1000 : 0;
  const part = left === null ? 1 : Math.max(0, Math.min(1, left / (whole || 1)));
  const mood = left !== null && left < 0 ? "late" : part < 0.25 ? "soon" : "";
  const told = left === null ? (each.first_response_at ? "answered once" : "no clock") : left < 0 ? `${span(left)} late` : `${span(left)} left`;
  const ring = svg("svg", { class: "clock", viewBox: "0 0 40 40", "aria-hidden": "true" },
    svg("circle", { cx: 20, cy: 20, r: 17 }),
    svg("circle", { class: "left", cx: 20, cy: 20, r: 17, "stroke-dasharray": `${RING * (mood === "late" ? 1 : part)} ${RING}` }),
    svg("text", { x: 20, y: 23.5 }, left === null ? (each.first_response_at ? "✓" : "–") : face(left)));
  return { ring, mood, told };
}

function face(seconds) {
  const s = Math.abs(seconds);
  const told = s < 100 ? `${Math.round(s)}s` : s < 6000 ? `${Math.round(s / 60)}m` : s < 172800 ? `${Math.round(s / 3600)}h` : `${Math.round(s / 86400)}d`;
  return seconds < 0 && told.length < 4 ? `-${told}` : told; // the ring has room for four, and is red when it is late
}

export function caseRow(each) {
  const { ring, mood, told } = clock(each);
  const first = each.messages?.[0]?.text;
  return el("a", { class: `case ${mood}`, href: `#/cases/${each.case_id}`, title: `priority ${each.priority ?? "?"}, opened ${ago(each.opened_at)}` }, ring,
    el("div", { class: "meta" }, el("b", {}, clip(each.brand ?? each.channel, 24)), el("span", { class: `chip ${each.intent}` }, each.intent ?? "?"), el("span", {}, told), each.priority ? el("span", {}, `priority ${each.priority}`) : null, each.assignee ? el("span", {}, each.assignee) : null),
    el("p", { class: "said", dir: "auto" }, clip(first || each.excerpt || `${each.author_key} on ${each.channel}, opened ${ago(each.opened_at)}`, 140)));
}

export class CasesPage {
  constructor(place) { this.place = place; }

  async show() {
    document.title = "Cases · Earshot";
    const status = choice([["open", "open"], ["waiting", "waiting"], ["resolved", "resolved"], ["closed", "closed"], ["", "any status"]], "open");
    const team = choice([["", "every team"], ...(await allTeams()).map((name) => [name, name])], "");
    const overdue = el("input", { type: "checkbox" });
    const words = el("input", { type: "search", placeholder: "Words in any message", maxlength: "200", "aria-label": "Words in any message" });
    this.filters = { status, team, overdue, words };
    this.list = el("div", { class: "case-list" });
    this.more = el("button", { class: "quiet", type: "button", hidden: true, onclick: () => this.page(false) }, "Show more");
    this.teams = el("tbody", {});
    const form = el("form", { class: "filters", role: "search", "aria-label": "Which cases" }, field("Status", status), field("Team", team), el("label", { class: "tick" }, overdue, "past their time"), words);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.page(true); });
    form.addEventListener("change", () => this.page(true));
    this.place.replaceChildren(el("header", { class: "head" }, el("div", {}, el("h1", { tabindex: "-1" }, "Cases"), form)),
      el("div", { class: "sheet cases-sheet" }, el("section", { class: "panel", "aria-label": "Cases" }, this.list, this.more),
        el("section", { class: "panel", "aria-labelledby": "teams-title" }, el("h2", { id: "teams-title" }, "How the teams do"),
          el("table", { class: "figures" }, el("thead", {}, el("tr", {}, ...["Team", "Cases", "In time", "Median first response"].map((head) => el("th", { scope: "col" }, head)))), this.teams))));
    await Promise.all([this.page(true), this.figures()]);
  }

  async page(anew) {
    const { status, team, overdue, words } = this.filters;
    if (anew) { this.cursor = null; this.list.replaceChildren(); }
    const asked = new URLSearchParams({ limit: String(PAGE) });
    if (status.value) asked.set("status", status.value);
    if (team.value) asked.set("team", team.value);
    if (overdue.checked) asked.set("overdue", "true");
    if (words.value.trim()) asked.set("q", words.value.trim());
    if (this.cursor) asked.set("cursor", this.cursor);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const told = await get(`/api/triage/cases?${asked}`);
      if (turn !== this.turn) return;
      this.cursor = told.next_cursor;
      this.more.hidden = !told.next_cursor;
      this.list.append(...told.items.map(caseRow));
      if (!this.list.children.length) this.list.append(el("p", { class: "empty" }, "No case of that kind."));
    } catch (problem) { this.list.append(el("p", { class: "bad" }, inWords(problem))); }
  }

  // The team that answers most cases in time stands first.
  async figures() {
    const { items } = await get("/api/triage/metrics/service-levels?by=team&limit=100");
    const ranked = items.filter((each) => each.key).sort((a, b) => b.within_target - a.within_target || (a.median_first_response_s ?? 1e12) - (b.median_first_response_s ?? 1e12));
    this.teams.replaceChildren(...ranked.map((each) => el("tr", {}, el("th", { scope: "row" }, each.key), el("td", {}, count(each.cases)), el("td", {}, `${Math.round(100 * each.within_target)} %`), el("td", {}, each.median_first_response_s === null ? "–" : span(each.median_first_response_s)))));
  }
}

export class CasePage {
  constructor(place, id, session) {
    this.place = place;
    this.id = id;
    this.session = session;
  }

  async show() {
    this.answer = el("textarea", { rows: "4", maxlength: "20000", required: true, "aria-label": "Your answer to the customer", placeholder: "Answer where they wrote…" });
    this.error = el("p", { class: "bad", role: "alert" });
    this.once = newKey();
    const form = el("form", { class: "answer" }, this.answer, this.error, el("button", { class: "primary", type: "submit" }, "Send the answer"));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.respond(); });
    this.head = el("header", { class: "head" });
    this.thread = el("ol", { class: "thread" });
    this.done = el("div", {});
    this.facts = el("div", {});
    this.place.replaceChildren(this.head, el("div", { class: "sheet" },
      el("section", { class: "panel", "aria-labelledby": "thread-title" }, el("h2", { id: "thread-title" }, "What was said"), this.thread, form),
      el("div", { class: "column" }, el("section", { class: "panel", "aria-label": "Clocks" }, this.facts), el("section", { class: "panel", "aria-labelledby": "done-title" }, el("h2", { id: "done-title" }, "What was done"), this.done))));
    await this.refresh();
  }

  changed() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => { if (this.head?.isConnected) this.refresh().catch(() => {}); }, REST_MS);
  }

  async refresh() {
    const seen = await get(`/api/triage/cases/${this.id}`);
    const fresh = this.seen && seen.message_count > this.seen.message_count;
    this.seen = seen;
    this.id = seen.case_id;
    document.title = `Case of ${seen.author_key} · Earshot`;
    this.paintHead(seen);
    this.paintFacts(seen);
    this.thread.replaceChildren(...seen.messages.map((each) => el("li", { class: each.is_brand ? "ours" : "" }, el("div", { class: "meta" }, el("b", {}, each.author_key), el("time", { datetime: each.occurred_at }, moment(each.occurred_at))), el("p", { dir: "auto" }, each.text || "(no words)"))));
    this.done.replaceChildren(seen.history.length ? el("ol", { class: "history" }, ...[...seen.history].reverse().map(line)) : el("p", { class: "empty" }, "Nobody did anything about it yet."));
    if (fresh) say("A new message came in.");
  }

  paintHead(seen) {
    const open = ["open", "waiting"].includes(seen.status);
    const act = (words, what, kind = "quiet") => el("button", { class: kind, type: "button", onclick: () => this[what]() }, words);
    const first = seen.messages.find((each) => !each.is_brand) ?? seen.messages[0];
    const focused = this.head.contains(document.activeElement) ? document.activeElement.textContent : null;
    this.head.replaceChildren(
      el("div", {}, el("h1", { tabindex: "-1" }, clip(first?.text || seen.author_key, 70)),
        el("p", { class: "meta" }, el("span", { class: `chip ${seen.intent}` }, seen.intent), el("b", {}, STATUS[seen.status] ?? seen.status), ...[`priority ${seen.priority}`, seen.team ? `team ${seen.team}` : "no team yet", seen.assignee ? `owned by ${seen.assignee}` : "nobody's yet", seen.brand ? `to ${seen.brand}` : null].filter(Boolean).map((words) => el("span", {}, words)), first ? el("a", { href: `#/items/${first.feedback_id}` }, "the customer") : null)),
      el("div", { class: "actions", role: "group", "aria-label": "What can be done" }, act("Assign…", "assign"), act("Note…", "note"), act("Hand over…", "route"), act("Raise…", "escalate"), open ? act("Resolve…", "resolve", "primary") : act("Reopen…", "reopen", "primary")));
    if (focused) [...this.head.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
  }

  paintFacts(seen) {
    const { ring, mood, told } = clock(seen);
    const rows = [["Opened", seen.clocks.opened_at], ["First response due", seen.clocks.first_response_due_at], ["First response", seen.clocks.first_response_at], ["Resolved", seen.clocks.resolved_at]];
    this.facts.replaceChildren(el("div", { class: `case plain ${mood}` }, ring, el("b", {}, told), el("span", { class: "note" }, `on ${seen.channel}, ${many(seen.message_count, "message")}`)),
      el("table", { class: "fields times" }, el("tbody", {}, ...rows.map(([name, when]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, moment(when)))))));
  }

  async respond() {
    this.error.textContent = "";
    try {
      const after = await post(`/api/triage/cases/${this.id}/respond`, { text: this.answer.value, seen: this.seen.version }, { once: this.once });
      this.answer.value = "";
      this.once = newKey();
      say(after.status === "open" ? "Sent. A message that you had not seen keeps the case open." : "Sent.");
      await this.refresh();
    } catch (problem) { this.error.textContent = inWords(problem); }
  }

  async act(verb, dialog, body, words, bound = true) {
    const done = await ask({
      again: () => this.refresh(), ...dialog,
      work: ({ once }) => post(`/api/triage/cases/${this.id}/${verb}`, body(), { once, version: bound ? this.seen.version : null }),
    });
    if (!done) return;
    say(verb === "resolve" && done.status !== "resolved" ? "A message that you had not seen keeps the case open." : words);
    await this.refresh();
  }

  assign() {
    const who = el("input", { type: "text", maxlength: "200", value: this.seen.assignee ?? this.session.person ?? "" });
    return this.act("assign", { title: "Who owns this case?", note: "Empty: nobody.", confirm: "Assign", body: field("Owner", who) }, () => ({ assignee: who.value.trim() || null }), "Assigned.");
  }

  note() {
    const text = el("textarea", { rows: "4", required: true, maxlength: "20000" });
    return this.act("note", { title: "A word for colleagues", note: "The customer never sees it.", confirm: "Leave the note", body: field("Note", text) }, () => ({ text: text.value }), "Noted.", false);
  }

  async route() {
    const team = choice([...new Set([...await allTeams(), this.seen.team].filter(Boolean))].map((name) => [name, name]), this.seen.team);
    const reason = el("input", { type: "text", maxlength: "2000" });
    return this.act("route", { title: "Hand it to a team", confirm: "Hand over", body: el("div", { class: "grid2" }, field("Team", team), field("Why", reason)) }, () => ({ team: team.value, reason: reason.value.trim() || null }), "Handed over.");
  }

  escalate() {
    const priority = choice([1, 2, 3, 4].map((n) => [String(n), `priority ${n}`]), String(Math.min(4, (this.seen.priority ?? 1) + 1)));
    const reason = el("input", { type: "text", maxlength: "2000" });
    return this.act("escalate", { title: "Raise this case", confirm: "Raise", body: el("div", { class: "grid2" }, field("To", priority), field("Why", reason)) }, () => ({ priority: Number(priority.value), reason: reason.value.trim() || null }), "Raised.");
  }

  resolve() {
    const reason = el("input", { type: "text", maxlength: "2000" });
    return this.act("resolve", { title: "Is it settled?", note: "A customer's message that you have not seen keeps it open.", confirm: "It is settled", body: field("How", reason) }, () => ({ seen: this.seen.version, reason: reason.value.trim() || null }), "Resolved.", false);
  }

  reopen() {
    const reason = el("input", { type: "text", maxlength: "2000" });
    return this.act("reopen", { title: "Not settled after all?", confirm: "Reopen", body: field("Why", reason) }, () => ({ reason: reason.value.trim() || null }), "Open again.");
  }
}

function line(act) {
  const more = [act.assignee ? `to ${act.assignee}` : null, act.team ? `to ${act.team}` : null, act.priority ? `to priority ${act.priority}` : null, act.reason].filter(Boolean).join(", ");
  return el("li", {}, el("time", { class: "note", datetime: act.at }, moment(act.at)), el("span", {}, el("b", {}, act.actor), ` ${did(act.verb)}${more ? `: ${more}` : ""}`, act.text && act.verb === "note" ? el("q", { dir: "auto" }, act.text) : null));
}
