// Starts the page: session, theme, the board, pages by address, and the live stream that feeds them.

import { el, get, post, put, inWords } from "./api.js";
import { ErasurePage } from "./acts.js";
import { Board } from "./board.js";
import { CasePage, CasesPage } from "./cases.js";
import { CustomerPage } from "./customer.js";
import { ask, field } from "./dialogs.js";
import { ReviewPage } from "./review.js";
import { Search } from "./search.js";

const $ = (id) => document.getElementById(id);
const TOPICS = "feedback.triaged,case.changed,customer.changed";
const ID = "([0-9a-f-]{36})";
const AGAIN_MS = 2000;
const state = { session: null, page: null, stream: ["off", "connecting"], trouble: "" };

const PAGES = [
  [/^#\/cases$/, () => new CasesPage($("page"))],
  [new RegExp(`^#/cases/${ID}$`), (id) => new CasePage($("page"), id, state.session)],
  [/^#\/review$/, () => new ReviewPage($("page"))],
  [new RegExp(`^#/customers/${ID}$`), (id) => new CustomerPage($("page"), id)],
  [new RegExp(`^#/erasures/${ID}$`), (id) => new ErasurePage($("page"), id)],
  [new RegExp(`^#/items/${ID}$`), (id) => ({ show: async () => location.replace(`#/customers/${(await get(`/api/crm-sync/feedback/${id}`)).customer_id}`) })],
];

function theme() {
  const wished = localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = wished;
}
$("theme").addEventListener("click", () => { localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark"); theme(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
theme();

function live(mood, words) {
  state.stream = [mood, words];
  showLive();
}

// Whether what is seen is the present: the stream flows, and every service answers.
function showLive() {
  const [mood, words] = state.trouble ? ["off", state.trouble] : state.stream;
  if ($("live").dataset.state !== mood) $("live").dataset.state = mood;
  if ($("live").title !== words) { $("live").title = words; $("live").querySelector("span").textContent = words; }
}

function listen(board, { anew = false } = {}) {
  const source = new EventSource(`/v1/stream?topics=${TOPICS}`);
  const take = (what) => (event) => {
    const told = JSON.parse(event.data);
    what(told.subject, told.data);
    if (state.page?.id === told.subject) state.page.changed?.();
  };
  source.addEventListener("open", () => { live("on", "live"); if (anew) board.begin(); anew = false; });
  source.addEventListener("error", () => {
    live("off", "reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listenAgain(board), AGAIN_MS); // refused: the browser does not try again by itself
  });
  source.addEventListener("feedback.triaged", take((_, data) => data && board.takeItem(data)));
  source.addEventListener("case.changed", take((id, data) => board.takeCase(id, data)));
  source.addEventListener("customer.changed", take((id, data) => board.takeCustomer(id, data)));
  addEventListener("pagehide", () => source.close());
}

async function listenAgain(board) {
  try { await get("/v1/session"); } catch (problem) { if (problem.status === 401) { location.reload(); return; } }
  listen(board, { anew: true });
}

// Shows the page that the address names; without one, the board.
async function turn() {
  const address = location.hash || "#/";
  const [pattern, make] = PAGES.find(([each]) => each.test(address)) ?? [];
  for (const way of $("ways").children) {
    const here = way.hash === "#/" ? !pattern : address.startsWith(way.hash);
    if (here) way.setAttribute("aria-current", "page"); else way.removeAttribute("aria-current");
  }
  $("board").hidden = Boolean(pattern);
  $("page").hidden = !pattern;
  state.page = null;
  $("page").replaceChildren();
  document.querySelector("dialog[open]")?.close();
  if (!pattern) { document.title = "Earshot"; return; }
  const page = make(...pattern.exec(address).slice(1));
  state.page = page;
  try {
    await page.show();
    if (state.page === page) { $("page").querySelector("h1")?.focus({ preventScroll: true }); scrollTo(0, 0); }
  } catch (problem) {
    if (problem.status === 401) { location.reload(); return; }
    if (state.page === page) $("page").replaceChildren(el("section", { class: "panel lost" }, el("h1", { tabindex: "-1" }, problem.status === 404 || problem.status === 410 ? "Not here" : "That did not work"), el("p", { role: "alert" }, inWords(problem)), el("a", { href: "#/" }, "To the board")));
  }
}

function showMe() {
  $("me").hidden = false;
  $("me").textContent = state.session.person ?? "Your name…";
}

async function nameMe() {
  const name = el("input", { type: "text", required: true, maxlength: "200", autocomplete: "name", value: state.session.person ?? "" });
  const done = await ask({ title: "Your name", note: "It is kept with everything you do, so that others see who it was.", confirm: "Use it", body: field("Name", name), work: () => put("/session", { person: name.value.trim() }) });
  if (!done) return;
  state.session = await get("/v1/session");
  if (state.page instanceof CasePage) state.page.session = state.session;
  showMe();
}

async function begin() {
  try {
    state.session = await get("/v1/session");
  } catch (problem) {
    $("door").hidden = false;
    live("off", problem.status === 401 ? "signed out" : problem.message);
    return;
  }
  for (const id of ["leave", "ways", "search"]) $(id).hidden = false;
  showMe();
  const openCustomer = ({ id, feedback }) => { location.hash = id ? `#/customers/${id}` : `#/items/${feedback}`; };
  new Search((id) => openCustomer({ id }));
  const board = new Board(openCustomer, (trouble) => { state.trouble = trouble; showLive(); });
  addEventListener("hashchange", turn);
  await turn();
  listen(board);
  await board.begin();
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("/session", { api_key: $("api-key").value, person: $("person").value.trim() || null });
    location.reload();
  } catch (problem) { $("sign-in-error").textContent = inWords(problem); }
});
$("me").addEventListener("click", nameMe);
$("leave").addEventListener("click", async () => { await fetch("/session", { method: "DELETE" }); location.assign("/"); });
begin();
