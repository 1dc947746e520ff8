// Adds to a page that works without it: search in the answers, counts that follow the filters, open and close all.
"use strict";
(() => {
  const tools = document.getElementById("tools");
  if (!tools) return;
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const items = [...document.querySelectorAll(".item")].map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const radios = [...document.querySelectorAll(".filter input[type=radio]")];

  const chosen = (group) => radios.find((radio) => radio.name === group && radio.checked)?.value ?? "all";
  const fits = (item, value) => value === "all" || item.node.classList.contains(value);

  function update() {
    const words = search.value.toLowerCase();
    const found = items.filter((item) => item.text.includes(words));
    for (const item of items) item.node.classList.toggle("missed", !item.text.includes(words));
    for (const radio of radios) {
      const other = chosen(radio.name === "task" ? "outcome" : "task");
      const count = found.filter((item) => fits(item, radio.value) && fits(item, other)).length;
      radio.parentElement.querySelector(".number").textContent = count;
    }
    shown.textContent = found.filter((item) => fits(item, chosen("outcome")) && fits(item, chosen("task"))).length;
  }

  function setOpen(open) {
    for (const item of items) item.node.open = open;
  }

  for (const radio of radios) radio.addEventListener("change", update);
  search.addEventListener("input", update);
  document.getElementById("open-all").addEventListener("click", () => setOpen(true));
  document.getElementById("close-all").addEventListener("click", () => setOpen(false));
  tools.hidden = false;
  update();
})();
