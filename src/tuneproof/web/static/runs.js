// The table of runs without reloading: filter while typing, keep the choice of runs, look again while one is at work.
import { say, tell } from "./core.js";

const form = document.getElementById("filter");
const rows = document.getElementById("rows");
const chosen = new Set();
let query = location.search;
let latest = 0;

async function load(search, { push = true } = {}) {
  const number = ++latest;
  let answer;
  try {
    answer = await fetch(`/rows${search}`);
  } catch {
    tell(say("gone"));
    return;
  }
  const html = await answer.text();
  if (number !== latest || !answer.ok) return;
  tell("");
  if (html === rows.dataset.shown) return;
  const at = document.activeElement?.closest("tr")?.dataset.name;
  const piece = document.createElement("template");
  piece.innerHTML = html;
  rows.replaceChildren(piece.content);
  rows.dataset.shown = html;
  query = search;
  if (push) history.replaceState(null, "", search || "/");
  settle();
  if (at) [...rows.querySelectorAll("tr")].find((row) => row.dataset.name === at)?.querySelector("a")?.focus();
}

// Runs that were chosen stay so when the table changes; those on other pages travel along hidden.
function settle() {
  for (const box of rows.querySelectorAll("input[name=run]")) box.checked = chosen.has(box.value);
  const seen = new Set([...rows.querySelectorAll("input[name=run]")].map((box) => box.value));
  for (const name of chosen) {
    if (seen.has(name)) continue;
    const kept = Object.assign(document.createElement("input"), { type: "hidden", name: "run", value: name });
    rows.append(kept);
  }
  document.getElementById("compare-button").disabled = chosen.size < 2;
}

if (form) {
  const search = () => {
    const asked = new URLSearchParams(new FormData(form));
    return `?${asked}`;
  };
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(search()), 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load(search());
  });
  rows.addEventListener("change", (event) => {
    if (event.target.name !== "run") return;
    if (event.target.checked) chosen.add(event.target.value);
    else chosen.delete(event.target.value);
    settle();
  });
  rows.addEventListener("click", (event) => {
    const link = event.target.closest("thead a, .pages a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const asked = new URL(link.href).searchParams;
    for (const name of ["sort", "order"]) if (asked.has(name)) form.elements[name].value = asked.get(name);
    load(`?${asked}`);
  });
  for (const box of rows.querySelectorAll("input[name=run]:checked")) chosen.add(box.value);
  settle();
  setInterval(() => {
    if (!document.hidden && rows.querySelector("[data-busy]")) load(query, { push: false });
  }, 3000);
}
