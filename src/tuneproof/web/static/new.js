// A new run: files are uploaded and checked as soon as they are there, then planned, then started.
import { ask, follow, Refused, say, showFault } from "./core.js";

const form = document.getElementById("wizard");
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const checked = document.getElementById("checked");
const planned = document.getElementById("planned");
const started = document.getElementById("started");
const model = document.getElementById("step-model");
const start = document.getElementById("step-start");
const files = [];
let named = false;

// The form as the server takes it; what is empty is left out.
function gather(...names) {
  const wanted = { files: files.map((file) => file.id) };
  for (const name of names) {
    const field = form.elements[name];
    if (field.type === "checkbox") {
      if (field.checked) wanted[name] = true;
    } else if (field.value.trim()) {
      const text = field.value.trim();
      wanted[name] = field.type === "number" ? Number(text) : ["memory", "time"].includes(name) ? text.replace(/\s/g, "") : text;
    }
  }
  return wanted;
}

const DATA = ["question", "answer", "system_prompt"];
const LIMITS = ["model", "memory", "time", "epochs", "rate", "rank"];

function upload(file, line) {
  return new Promise((done, fail) => {
    // `fetch` cannot say how far an upload is.
    const request = new XMLHttpRequest();
    request.open("PUT", `/files/${encodeURIComponent(file.name)}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      line.textContent = say("uploading", file.name, Math.round((100 * event.loaded) / event.total));
    };
    request.onload = () => {
      if (request.status === 200) done(request.response);
      else fail(new Refused(request.response?.message ?? `${file.name}: ${request.status} ${request.statusText}`));
    };
    request.onerror = () => fail(new Refused(say("gone")));
    request.send(file);
  });
}

async function take(chosen) {
  for (const file of chosen) {
    const line = document.createElement("li");
    line.textContent = file.name;
    list.append(line);
    try {
      const kept = await upload(file, line);
      if (files.some((other) => other.id === kept.id)) line.remove();
      else showFile(line, kept);
    } catch (error) {
      line.remove();
      showFault(checked, error);
      return;
    }
  }
  if (!named && files.length) form.elements.name.value = suggest();
  await check();
}

function showFile(line, kept) {
  files.push(kept);
  const name = document.createElement("bdi");
  name.textContent = kept.name;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "plain", textContent: "✕" });
  button.setAttribute("aria-label", say("remove", kept.name));
  button.addEventListener("click", () => {
    files.splice(files.indexOf(kept), 1);
    line.remove();
    check();
  });
  line.replaceChildren(name, button);
}

function suggest() {
  const stem = files[0].name.replace(/(\.(jsonl?|csv|tsv|parquet|xlsx))?(\.gz)?$/, "");
  const base = form.elements.model.value.split(/[/\\]/).at(-1);
  const plain = `${stem}-${base}`.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return (plain || "run").toLowerCase().slice(0, 64);
}

async function check() {
  forget();
  model.disabled = true;
  if (!files.length) {
    checked.replaceChildren();
    delete checked.dataset.job;
    return;
  }
  try {
    const { job } = await ask("POST", "/checks", gather(...DATA));
    const told = await follow(job, checked, say("checking"));
    if (told?.usable) model.disabled = false;
  } catch (error) {
    showFault(checked, error);
  }
}

// A plan is for what the form said; when that changes there is none.
function forget() {
  start.disabled = true;
  planned.replaceChildren();
  delete planned.dataset.job;
}

async function plan() {
  forget();
  if (![...model.querySelectorAll("input, select")].every((field) => field.reportValidity())) return;
  try {
    const { job } = await ask("POST", "/plans", gather(...DATA, ...LIMITS));
    const told = await follow(job, planned, say("planning"));
    if (told?.fits) start.disabled = false;
  } catch (error) {
    showFault(planned, error);
  }
}

async function begin(event) {
  event.preventDefault();
  if (start.disabled) return;
  const button = document.getElementById("start");
  button.disabled = true;
  try {
    const { place } = await ask("POST", "/runs", gather(...DATA, ...LIMITS, "cure", "name"));
    location.href = place;
  } catch (error) {
    button.disabled = false;
    showFault(started, error);
  }
}

// What the machine has is good to know and needed for nothing: where it cannot be told, nothing stands there.
async function lookAtMachine() {
  const place = document.getElementById("machine");
  try {
    const { job } = await ask("POST", "/machine");
    await follow(job, place, say("working"));
  } catch {
    place.replaceChildren();
  }
}

document.getElementById("file").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";
});
for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  take([...event.dataTransfer.files]);
});
model.addEventListener("change", () => {
  forget();
  if (!named && files.length) form.elements.name.value = suggest();
});
form.elements.name.addEventListener("input", () => { named = true; });
document.getElementById("check-again").addEventListener("click", check);
document.getElementById("plan").addEventListener("click", plan);
form.addEventListener("submit", begin);
lookAtMachine();
