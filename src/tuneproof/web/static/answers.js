// Beside each answer of the report: the training rows that pushed it, and the mark that its reference is wrong.
import { ask, follow, put, say, showFault } from "./core.js";

const report = document.getElementById("report");
const address = `/runs/${report.dataset.run}`;
const marks = new Set(JSON.parse(report.dataset.marks));

function makeButton(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = text;
  return button;
}

function addBlame(tools, node, item) {
  const button = makeButton(say("blame"));
  const place = document.createElement("div");
  place.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { job } = await ask("POST", `${address}/blame`, { item });
      await follow(job, place, say("blaming"));
      for (const fold of place.querySelectorAll("details")) fold.open = true;
    } catch (error) {
      showFault(place, error);
    }
    button.disabled = false;
  });
  tools.append(button);
  tools.after(place);
}

function addMark(tools, node, item) {
  const button = makeButton("");
  const show = () => {
    node.classList.toggle("marked", marks.has(item));
    button.textContent = say(marks.has(item) ? "unmark" : "mark");
    button.setAttribute("aria-pressed", marks.has(item));
  };
  button.addEventListener("click", async () => {
    const wrong = !marks.has(item);
    button.disabled = true;
    try {
      const told = await ask("POST", `${address}/marks`, { item, wrong });
      if (wrong) marks.add(item);
      else marks.delete(item);
      put(document.getElementById("marked"), told.html);
      show();
    } catch (error) {
      showFault(document.getElementById("marked"), error);
    }
    button.disabled = false;
  });
  show();
  tools.append(button);
}

// Buttons are made when an answer is opened: a report has hundreds.
function equip(node) {
  if (node.dataset.equipped) return;
  node.dataset.equipped = "1";
  const tools = document.createElement("div");
  tools.className = "tools";
  node.append(tools);
  addBlame(tools, node, node.dataset.item);
  if (node.matches(".item")) addMark(tools, node, node.dataset.item);
}

for (const node of report.querySelectorAll(".item[data-item]")) {
  node.classList.toggle("marked", marks.has(node.dataset.item));
  if (node.open) equip(node);
  node.addEventListener("toggle", () => node.open && equip(node));
}
for (const node of report.querySelectorAll(".probe[data-item]")) equip(node);
