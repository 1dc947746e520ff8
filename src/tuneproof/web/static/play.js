// The playground: both sides answer as they come, the dial asks the tuned side again, and every prompt is proven.
import { ask, put, Refused, say, showFault, wait } from "./core.js";
import { compareTokens, draw } from "./diff.js";

const worker = document.getElementById("worker");
const address = `/runs/${worker?.dataset.run}/play`;
const form = document.getElementById("ask");
const dial = document.getElementById("scale");
const send = document.getElementById("send");
const halt = document.getElementById("halt");
const difference = document.getElementById("difference");
const proof = document.getElementById("proof");

// One side of the comparison: what it has said, and the request by which it says it.
class Side {
  constructor(name) {
    this.name = name;
    this.place = document.getElementById(name);
    this.facts = document.getElementById(`${name}-facts`);
    this.tokens = [];
    this.busy = false;
  }

  async answer(question) {
    this.stop();
    const control = new AbortController();
    this.control = control;
    this.tokens = [];
    this.count = 0;
    this.setBusy(true);
    this.place.replaceChildren();
    this.facts.textContent = "";
    try {
      const reply = await fetch(`${address}/answer`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...question, side: this.name }),
        signal: control.signal,
      });
      if (!reply.ok) throw new Refused((await reply.json().catch(() => ({}))).message ?? say("gone"));
      const finish = await this.read(reply.body);
      if (this.control === control) this.facts.textContent = say(finish === "length" ? "cut" : "tokens", this.count);
    } catch (error) {
      if (error.name !== "AbortError" && this.control === control) showFault(this.place, error);
    }
    if (this.control === control) this.setBusy(false);
  }

  async read(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let finish = null;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return finish;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return finish;
        finish = this.note(JSON.parse(data)) ?? finish;
      }
    }
  }

  // One event: new tokens, by the text that the server shows for them.
  note(event) {
    if (event.error) throw new Refused(event.error.message);
    const choice = event.choices?.[0];
    if (!choice) return null;
    const tokens = choice.logprobs?.content?.map((one) => one.token) ?? [];
    const text = choice.delta?.content ?? "";
    this.count += tokens.length;
    // Where the tokens spell the text they are its parts; a character may be spread over several.
    this.tokens.push(...(tokens.join("") === text ? tokens : text ? [text] : []).filter(Boolean));
    if (text) this.place.append(text);
    return choice.finish_reason;
  }

  setBusy(busy) {
    this.busy = busy;
    this.place.classList.toggle("busy", busy);
    this.place.setAttribute("aria-busy", busy);
    halt.hidden = !sides.some((side) => side.busy);
  }

  stop() {
    this.control?.abort();
    this.control = null;
    this.setBusy(false);
  }
}

const sides = [];
const base = form && new Side("base");
const tuned = form && new Side("tuned");
if (form) sides.push(base, tuned);

function gather() {
  const field = form.elements;
  return {
    prompt: field.prompt.value,
    system: field.system.value,
    scale: Number(dial.value),
    max_tokens: Number(field.max_tokens.value),
    temperature: Number(field.temperature.value),
    seed: Number(field.seed.value),
  };
}

function mark() {
  if (sides.some((side) => side.busy) || !base.tokens.length || !tuned.tokens.length) return;
  const alone = compareTokens(base.tokens, tuned.tokens);
  base.place.replaceChildren(draw(base.tokens, alone.left, "del"));
  tuned.place.replaceChildren(draw(tuned.tokens, alone.right, "ins"));
  const differing = [...alone.left, ...alone.right].filter(Boolean).length;
  const all = base.tokens.length + tuned.tokens.length;
  const told = differing ? say("differ", differing, all, alone.first + 1) : say("same");
  difference.textContent = differing && Number(dial.value) === 0 ? `${told} ${say("rounded")}` : told;
}

async function answer(event) {
  event?.preventDefault();
  if (send.disabled || !form.reportValidity()) return;
  const question = gather();
  difference.textContent = "";
  proof.replaceChildren();
  await Promise.all([base.answer(question), tuned.answer(question)]);
  mark();
  await prove(question);
}

// The dial asks the tuned side alone: the base has no strength.
async function turn() {
  if (send.disabled || !base.tokens.length || !form.reportValidity()) return;
  difference.textContent = "";
  base.place.replaceChildren(base.tokens.join(""));
  await tuned.answer(gather());
  mark();
}

async function prove(question) {
  try {
    put(proof, (await ask("POST", `${address}/proof`, question)).html);
  } catch (error) {
    showFault(proof, error);
  }
}

async function open() {
  let told = await ask("POST", `${address}/open`);
  while (told.state === "starting") {
    worker.textContent = [say("loading"), told.line].filter(Boolean).join(" ");
    await wait(500);
    told = await ask("GET", `${address}/state`);
  }
  if (told.state === "ready") {
    worker.textContent = say("ready");
    send.disabled = false;
  } else {
    worker.textContent = "";
    put(document.getElementById("worker-faults"), told.html ?? "");
  }
}

if (form) {
  let timer;
  form.addEventListener("submit", answer);
  halt.addEventListener("click", () => sides.forEach((side) => side.stop()));
  dial.addEventListener("input", () => {
    document.getElementById("scale-value").textContent = Number(dial.value).toFixed(2);
    clearTimeout(timer);
    timer = setTimeout(turn, 200);
  });
  for (const button of document.querySelectorAll("[data-prompt]")) {
    button.addEventListener("click", () => {
      form.elements.prompt.value = button.dataset.prompt;
      answer();
    });
  }
  open().catch((error) => showFault(document.getElementById("worker-faults"), error));
}
