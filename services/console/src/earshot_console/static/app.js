// Starts the page: session, theme, board, and the live stream that feeds it.

import { get, post } from "./api.js";
import { Board } from "./board.js";
import { Customers } from "./customer.js";

const $ = (id) => document.getElementById(id);
const TOPICS = "feedback.triaged,case.changed,customer.changed";

function theme() {
  const wished = localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = wished;
}
$("theme").addEventListener("click", () => { localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark"); theme(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
theme();

function live(state, words) {
  $("live").dataset.state = state;
  $("live").querySelector("span").textContent = words;
}

function listen(board) {
  const source = new EventSource(`/v1/stream?topics=${TOPICS}`);
  const take = (what) => (event) => {
    const told = JSON.parse(event.data);
    what(told.subject, told.data);
  };
  source.addEventListener("open", () => live("on", "live"));
  source.addEventListener("error", () => live("off", "reconnecting"));
  source.addEventListener("feedback.triaged", take((_, data) => data && board.takeItem(data)));
  source.addEventListener("case.changed", take((id, data) => board.takeCase(id, data)));
  source.addEventListener("customer.changed", take((id, data) => board.takeCustomer(id, data)));
  addEventListener("pagehide", () => source.close());
}

async function begin() {
  try {
    await get("/v1/session");
  } catch (problem) {
    $("door").hidden = false;
    live("off", problem.status === 401 ? "signed out" : problem.message);
    return;
  }
  $("board").hidden = false;
  $("leave").hidden = false;
  const customers = new Customers();
  const board = new Board((which) => customers.open(which));
  listen(board);
  await board.begin();
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("/session", { api_key: $("api-key").value, person: $("person").value.trim() || null });
    location.assign("/");
  } catch (problem) { $("sign-in-error").textContent = problem.message; }
});
$("leave").addEventListener("click", async () => { await fetch("/session", { method: "DELETE" }); location.assign("/"); });
begin();
