// What every page's script shares: words, requests, jobs, news for the reader. No text is ever put in as markup, but for
// pieces of a page that our own server has drawn and escaped.
export const words = JSON.parse(document.body.dataset.words);
document.documentElement.classList.add("scripted");

export function say(key, ...values) {
  return values.reduce((text, value) => text.replace("{}", value), words[key]);
}

export function tell(text) {
  const news = document.getElementById("news");
  news.textContent = text;
  news.hidden = !text;
}

export class Refused extends Error {}

// A request to our own server. Returns its JSON; throws Refused with what the server said.
export async function ask(method, address, body, signal) {
  const options = { method, signal, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(say("gone"));
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused([told.message ?? answer.statusText, told.detail].filter(Boolean).join(" "));
  return told;
}

export const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Wait for a job; `place` shows how far it is, then what it found. Returns what the server told last, or null when a
// newer job has taken the place.
export async function follow(job, place, beginning) {
  place.dataset.job = job;
  showWaiting(place, beginning);
  for (let pause = 250; ; pause = Math.min(pause * 1.3, 1500)) {
    const told = await ask("GET", `/jobs/${job}`);
    if (place.dataset.job !== job) return null;
    if (told.state !== "running") {
      put(place, told.html);
      return told;
    }
    showWaiting(place, beginning, told.line);
    await wait(pause);
  }
}

function showWaiting(place, beginning, line = "") {
  let note = place.querySelector(":scope > .waiting");
  if (!note) {
    note = document.createElement("p");
    note.className = "waiting";
    place.replaceChildren(note);
  }
  const text = line ? `${beginning} ${line}` : beginning;
  if (note.textContent !== text) note.textContent = text;
}

// A piece of a page that our own server has drawn.
export function put(place, html) {
  const piece = document.createElement("template");
  piece.innerHTML = html;
  place.replaceChildren(piece.content);
}

export function showFault(place, error) {
  const note = document.createElement("p");
  note.className = "faults";
  note.setAttribute("role", "alert");
  note.textContent = say("failed", error.message);
  place.replaceChildren(note);
}
