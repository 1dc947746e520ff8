// A run at work: asks every second for the pieces of the page, puts in those that changed, and lets it stop or go on.
import { ask, say, tell } from "./core.js";

const place = document.getElementById("pieces");
const address = `/runs/${place.dataset.run}`;
const gone = document.getElementById("lost-server");
const shown = new Map([...place.children].map((piece) => [piece.dataset.piece, piece.innerHTML]));
const ENDED = ["done", "stopped", "failed", "lost"];
let tag = "";
let timer;

async function look() {
  try {
    const answer = await fetch(`${address}/pieces`, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    gone.hidden = true;
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") ?? "";
      exchange(await answer.text());
    } else if (answer.status === 401) {
      location.href = "/login";
      return;
    }
  } catch {
    gone.hidden = false;
  }
  schedule();
}

function schedule() {
  clearTimeout(timer);
  // Nothing is asked while nobody looks; an ended run is asked seldom: it may go on from a terminal.
  if (!document.hidden) timer = setTimeout(look, ENDED.includes(state()) ? 5000 : 1000);
}

function state() {
  return place.querySelector("[data-piece=head]")?.dataset.state;
}

// Only what changed is touched: open folds stay open, and what has the focus keeps it.
function exchange(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const pieces = [...fresh.content.children];
  for (const piece of pieces) {
    const name = piece.dataset.piece;
    const content = piece.innerHTML;
    const old = place.querySelector(`[data-piece=${name}]`);
    if (old && shown.get(name) === content) continue;
    shown.set(name, content);
    if (!old) place.append(piece);
    else swap(old, piece);
  }
  for (const old of [...place.children]) {
    if (!pieces.some((piece) => piece.dataset.piece === old.dataset.piece)) {
      shown.delete(old.dataset.piece);
      if (!place.querySelectorAll(`[data-piece=${old.dataset.piece}]`)[1]) old.remove();
    }
  }
}

function swap(old, piece) {
  const open = [...old.querySelectorAll("details")].map((fold) => fold.open);
  const focused = document.activeElement?.dataset?.do;
  const top = [...old.querySelectorAll("pre, .scroll, .notes")].map((box) => box.scrollTop);
  old.replaceWith(piece);
  piece.querySelectorAll("details").forEach((fold, at) => { if (open[at]) fold.open = true; });
  piece.querySelectorAll("pre, .scroll, .notes").forEach((box, at) => { box.scrollTop = top[at] ?? 0; });
  if (focused) piece.querySelector(`[data-do=${focused}]`)?.focus();
}

place.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  button.disabled = true;
  try {
    tell((await ask("POST", `${address}/${button.dataset.do}`)).message);
  } catch (error) {
    button.disabled = false;
    tell(say("failed", error.message));
  }
  look();
});

document.addEventListener("visibilitychange", schedule);
schedule();
