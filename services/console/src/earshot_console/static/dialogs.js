// One dialog for everything that asks a person before something is done: title, body, error, and two buttons.

import { el, inWords, newKey } from "./api.js";

// `work(terms)` does it; what it throws is shown in words and the dialog stays. `again(problem)` is called after a conflict.
// Resolves to what `work` returned, or null when the person went away.
export function ask({ title, note, body, confirm, danger = false, wide = false, ready = true, work, again }) {
  return new Promise((settle) => {
    const once = newKey();
    const error = el("p", { class: "bad", role: "alert" });
    const go = el("button", { class: danger ? "primary danger" : "primary", type: "submit", disabled: !ready }, confirm);
    const leave = el("button", { class: "quiet", type: "button", onclick: () => box.close() }, "Cancel");
    const form = el("form", { method: "dialog" }, el("h2", { id: "ask-title" }, title), note ? el("p", { class: "note" }, note) : null, body ?? null, error, el("footer", {}, leave, go));
    const box = el("dialog", { class: wide ? "ask wide" : "ask", "aria-labelledby": "ask-title" }, form);
    let told = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      error.textContent = "";
      go.disabled = true;
      box.setAttribute("aria-busy", "true");
      try {
        told = (await work({ once })) ?? true;
        box.close();
      } catch (problem) {
        error.textContent = inWords(problem);
        if (problem.status === 412 && again) await again(problem);
      }
      go.disabled = false;
      box.removeAttribute("aria-busy");
    });
    box.addEventListener("close", () => { box.remove(); settle(told); });
    box.addEventListener("earshot-ready", (event) => { go.disabled = !event.detail; });
    document.body.append(box);
    box.showModal();
  });
}

export function setReady(inside, ready) {
  inside.closest("dialog")?.dispatchEvent(new CustomEvent("earshot-ready", { detail: ready }));
}

export function field(label, control, hint) {
  return el("label", { class: "field" }, el("span", {}, label), control, hint ? el("small", { class: "note" }, hint) : null);
}

export function choice(options, chosen) {
  const made = el("select", {}, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return made;
}

let gone;
export function say(words) {
  const place = document.getElementById("said");
  place.textContent = words;
  place.hidden = false;
  clearTimeout(gone);
  gone = setTimeout(() => { place.hidden = true; }, 6000);
}
