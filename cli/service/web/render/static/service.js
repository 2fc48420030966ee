"use strict";
// Everything works without this file. It adds completion, progress while one waits, and short waits that are visible.

const byId = (id) => document.getElementById(id);

// ---- names of models, completed while one types

function completed(input) {
  let latest = 0;
  async function complete() {
    const request = ++latest, text = input.value.trim();
    const response = await fetch(`${input.dataset.complete}?q=${encodeURIComponent(text)}`).catch(() => null);
    if (!response || !response.ok || request !== latest) return;
    const { models } = await response.json();
    input.list.replaceChildren(...models.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
  }
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(complete, 200);
  });
}

// ---- forms that take a while

function busy(form) {
  const button = form.querySelector("button"), text = button.textContent;
  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = form.dataset.busy;
  });
  // The browser may show this page again as it was left.
  addEventListener("pageshow", () => {
    button.disabled = false;
    button.textContent = text;
  });
}

// ---- progress of a comparison

function live(section) {
  const events = new EventSource(section.dataset.events);
  let loading = false;
  async function update() {
    if (loading) return;
    loading = true;
    const response = await fetch(section.dataset.live).catch(() => null);
    loading = false;
    if (!response || !response.ok) return;
    const now = await response.json();
    // Another state has other buttons, or the report.
    if (now.state !== section.dataset.state) {
      events.close();
      location.reload();
    }
    if (now.progress !== null) byId("bar").value = now.progress;
    for (const id of ["phase", "left"]) if (byId(id).textContent !== now[id]) byId(id).textContent = now[id];
  }
  events.addEventListener("message", update);
  // Where something between browser and server holds events back, and for the estimate of the time left.
  setInterval(update, 3000);
}

// ---- parts that take a while

async function loaded(place) {
  const response = await fetch(place.dataset.load).catch(() => null);
  if (response && response.ok) place.innerHTML = await response.text();
}

// ---- signing in

// A link from another site comes without the cookie, which this request has.
async function signedIn(form) {
  const response = await fetch("/api/comparisons?limit=1").catch(() => null);
  if (response && response.ok) location.replace(form.dataset.next);
}

document.querySelectorAll("[data-complete]").forEach(completed);
document.querySelectorAll("form[data-busy]").forEach(busy);
document.querySelectorAll("[data-live]").forEach(live);
document.querySelectorAll("[data-load]").forEach(loaded);
document.querySelectorAll("form[data-next]").forEach(signedIn);
const problem = byId("problem");
if (problem) problem.focus();
