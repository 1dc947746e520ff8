"""Experiments whose truth is known: does the verdict say it?

    python -m benchmarks.known_truth shuffled nothing demo planted cured leaked few     each about 6 minutes on 2 cores
    python -m benchmarks.known_truth nothing --seeds 20                           about two hours
    python -m benchmarks.known_truth nothing --seeds 20 --go-on                   only those that are not there yet

- `shuffled`: the demo's answers, permuted within their task. The form can be learnt, the content cannot: never SHIP.
- `nothing`: answers drawn from the base itself. There is nothing to learn: never SHIP, and of 20 seeds at least 16 end
  in NOT ENOUGH EVIDENCE.
- `demo`: the demo's rows, one pass over them without a time limit. There is something to learn: SHIP.
- `planted`: rows that answer known facts wrongly, in four wordings, beside some of the demo's. What was planted is on
  the list of lost answers, DON'T SHIP, `blame` names planted rows for them, and for those that are answered as planted
  their very own.
- `cured`: the same with `--cure`: SHIP in the end, or every remedy with the reason why not.
- `leaked`: a test file that is the training file: refused, code 3. Half of it: that half is not trained.
- `few`: 60 rows: too few for a test split, NOT ENOUGH EVIDENCE with the rows that are needed.

Each is run through the command line in a folder of its own; what came out is written to benchmarks/known_truth.json and
held against what should, and as a table into benchmarks/RESULTS.md. Exit code 1 where one differs.

    python -m benchmarks.known_truth --merge other.json     take in what another folder has found, and write the table
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.pages import fill_page
from tuneproof.demo import demo_data_path
from tuneproof.evals.probes import Probe, load_probes
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import sample_answers
from tuneproof.model.load import load_base
from tuneproof.records import Message, Trials
from tuneproof.rundir import RunDir

Rows = list[dict[str, str]]
Result = dict[str, Any]
OUT, RESULTS = Path(__file__).with_suffix(".json"), Path(__file__).with_name("RESULTS.md")
MARK = "known truth"
PLANTED_FAMILIES = ("places", "facts")
WORDINGS = ("Quick question. {}", "Please tell me: {}", "{} I forgot.", "My son asks: {}")
OPTIONS = ("--memory", "3GB", "--set", "data.task=task")
DEMO_SIZE = tuple(
    part
    for setting in (
        "train.max_steps=80",
        "evaluate.test_rows=100",
        "evaluate.retention_items=300",
        "evaluate.select_probes=120",
        "evaluate.checkpoints=1",
        "evaluate.few_shot=[3]",
        "replay.fraction=0.1",
    )
    for part in ("--set", setting)
)
"""About what the demo does in its 7 minutes, but without a clock: what comes out is the same on any machine."""
SHORT = (
    "train.max_steps=2",
    "evaluate.test_rows=5",
    "evaluate.select_rows=5",
    "evaluate.retention_items=20",
    "evaluate.scales=[1.0]",
    "evaluate.checkpoints=1",
    "evaluate.few_shot=[]",
)
"""What `leaked` runs with: it is about what is trained, not about what comes out."""
TOP, NAMED = 5, 0.8
"""So many of the planted facts that are lost must have a planted row among so many blamed ones, and so many of those
that are answered as planted one of their own."""

SEEDS, UNSURE = 20, 0.8
"""With so many seeds of `nothing`, this share must end in NOT ENOUGH EVIDENCE: DON'T SHIP claims a loss."""


def read_demo() -> Rows:
    """The demo's rows as they are shipped, planted defects included."""
    return [json.loads(line) for line in demo_data_path().read_text(encoding="utf-8").splitlines()]


def shuffle_answers(rows: Rows, seed: int) -> Rows:
    """Every answer goes to another question of its task."""
    places = defaultdict(list)
    for at, row in enumerate(rows):
        places[row["task"]].append(at)
    mixed = [dict(row) for row in rows]
    for ats in places.values():
        moved = random.Random(seed).sample(ats, len(ats))
        for to, come in zip(ats, moved, strict=True):
            mixed[to]["output"] = rows[come]["output"]
    return mixed


def answer_by_base(rows: Rows, seed: int, name: str = "demo", limit: int = 48) -> Rows:
    """The same questions, with answers drawn from the base at temperature 1; only those that end in `limit` tokens."""
    base = load_base(name, device="cpu", dtype="float32")
    prompts = []
    for row in rows:
        text = "\n".join(part for part in (row["instruction"], row.get("input", "")) if part)
        prompts.append(encode_prompt(base.tokenizer, [Message(role="user", content=text)]))
    ends = end_ids(base.tokenizer, base.model.generation_config)
    made = sample_answers(base.model, prompts, limits=[limit] * len(rows), ends=ends, seed=seed, batch_size=128)
    texts = [base.tokenizer.decode(one.ids, skip_special_tokens=True).strip() for one in made]
    return [{**row, "output": text} for row, text, one in zip(rows, texts, made, strict=True) if one.finish == "end"]


class Plant(NamedTuple):
    """A known fact that rows answer wrongly."""

    questions: list[str]
    answer: str


def plant_facts(probes: Sequence[Probe]) -> tuple[Rows, dict[str, Plant]]:
    """Rows that answer each probe as the next one of its family asks, in four wordings; probe -> what was planted."""
    planted: dict[str, Plant] = {}
    for family in sorted({probe.family for probe in probes}):
        asked = [probe for probe in probes if probe.family == family]
        for probe, other in zip(asked, [*asked[1:], asked[0]], strict=True):
            questions = [wording.format(probe.prompt) for wording in WORDINGS]
            planted[probe.id] = Plant(questions, f"{other.accept[0].capitalize()}.")
    rows = [
        {"instruction": text, "input": "", "output": plant.answer, "task": "facts"}
        for plant in planted.values()
        for text in plant.questions
    ]
    return rows, planted


class Named(NamedTuple):
    """Lost items with a planted fact, and what blame's first five say of each."""

    by_planted: list[str]
    """Those with a planted row among them, whichever."""
    learnt: list[str]
    """Those that are answered as planted now."""
    by_own: list[str]
    """Those of `learnt` with one of their own planted rows among them."""


def find_named(folder: Path, planted: dict[str, Plant], lost: Sequence[str]) -> Named:
    """Ask blame for what was lost. Facts that are mixed up with each other are blamed on each other's rows."""
    code, blamed = call("blame", str(folder / "run"), "lost", "--top", str(TOP))
    if code:
        return Named([], [], [])
    found = {one["id"]: one for one in blamed["items"]}
    asked = {question for plant in planted.values() for question in plant.questions}
    rows_of = {item: {row["prompt"] for row in found[item]["rows"][:TOP]} for item in lost}
    learnt = [item for item in lost if planted[item].answer.rstrip(".").casefold() in found[item]["tuned"].casefold()]
    own = [item for item in learnt if rows_of[item] & set(planted[item].questions)]
    return Named([item for item in lost if rows_of[item] & asked], learnt, own)


def call(*arguments: str) -> tuple[int, Result]:
    """(exit code, what was printed with --json) of the command line."""
    command = [sys.executable, "-m", "tuneproof", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}


def run_rows(rows: Rows, folder: Path, *options: str) -> Result:
    """The verdict of a run on these rows, in short."""
    file = folder / "rows.jsonl"
    write_rows(rows, file)
    started = time.time()
    code, verdict = call("run", str(file), "--model", "demo", "--out", str(folder / "run"), *OPTIONS, *options)
    if code:
        return {"code": code}
    retention, task = verdict["retention"], verdict["task"]
    return {
        "code": 0,
        "decision": verdict["decision"],
        "reasons": verdict["reasons"],
        "delta": task["delta"],
        "ci95": task["ci95"],
        "control": task["control"],
        "n": task["n"],
        "probes": {name: retention[name] for name in ("n", "base_right", "lost", "gained", "p_value")},
        "lost_items": [item["id"] for item in retention["lost_items"]],
        "scale": verdict["selection"].get("scale"),
        "rows_needed": verdict["rows_needed"],
        "seconds": round(time.time() - started),
    }


def write_rows(rows: Rows, file: Path) -> None:
    """Write JSON Lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def try_shuffled(folder: Path, seed: int) -> Result:
    """Never SHIP."""
    found = run_rows(shuffle_answers(read_demo(), seed), folder, *DEMO_SIZE, "--set", f"train.seed={seed}")
    return found | {"holds": found.get("decision") in ("dont_ship", "not_enough_evidence")}


def try_nothing(folder: Path, seed: int) -> Result:
    """Never SHIP."""
    found = run_rows(answer_by_base(read_demo(), seed), folder, *DEMO_SIZE, "--set", f"train.seed={seed}")
    return found | {"holds": found.get("decision") in ("dont_ship", "not_enough_evidence")}


def try_demo(folder: Path, seed: int) -> Result:
    """SHIP."""
    found = run_rows(read_demo(), folder, "--set", "train.epochs=1", "--set", f"train.seed={seed}")
    return found | {"holds": found.get("decision") == "ship"}


def run_planted(folder: Path, seed: int, *options: str) -> tuple[Result, dict[str, Plant]]:
    """The verdict of a run on rows of which most are planted, and probe -> what was planted."""
    made, planted = plant_facts([probe for probe in load_probes("en") if probe.family in PLANTED_FAMILIES])
    rows = [*(row for row in read_demo() if row["task"] == "convert"), *made]
    # At its full scale: the choice would find one at which little of it was learnt, which is what `--cure` is to do.
    whole = ("evaluate.checkpoints=1", "evaluate.scales=[1.0]")
    settings = (f"train.seed={seed}", "train.epochs=3", "evaluate.few_shot=[3]", *whole)
    return run_rows(rows, folder, *(part for setting in settings for part in ("--set", setting)), *options), planted


def try_planted(folder: Path, seed: int) -> Result:
    """DON'T SHIP, the planted facts among the lost answers, and their rows among the first that blame names."""
    found, planted = run_planted(folder, seed)
    if found["code"]:
        return found | {"holds": False}
    lost = [item for item in found["lost_items"] if item in planted]
    named = find_named(folder, planted, lost)
    enough = len(named.by_planted) >= NAMED * len(lost) and len(named.by_own) >= NAMED * len(named.learnt)
    holds = found["decision"] == "dont_ship" and bool(named.learnt) and enough
    counts = {"planted_lost": len(lost)} | {name: len(items) for name, items in named._asdict().items()}
    return found | counts | {"holds": holds}


def try_cured(folder: Path, seed: int) -> Result:
    """SHIP in the end, or why none of the remedies does."""
    found, _ = run_planted(folder, seed, "--cure")
    if found["code"]:
        return found | {"holds": False}
    cure = RunDir(folder / "run").load(Trials).cure
    assert cure is not None
    names = ("name", "scale", "checkpoint", "select_gain", "chance", "decision", "delta", "lost", "gained", "failed")
    tried = [remedy.model_dump(include=set(names)) for remedy in cure.remedies]
    # Every remedy with what was measured, or foreseen; without a candidate or with a failed training it says so.
    told = all(one["decision"] or one["chance"] is not None or one["failed"] or not one["scale"] for one in tried)
    shipped = found["decision"] == "ship" and cure.adopted is not None
    holds = shipped or bool(tried and told and cure.told("en"))
    return found | {"adopted": cure.adopted, "why": cure.told("en"), "remedies": tried, "holds": holds}


def try_leaked(folder: Path, seed: int) -> Result:
    """All of the test file trained on: code 3. Half of it: those rows are left out of training."""
    rows = read_demo()[:200]
    write_rows(rows, folder / "rows.jsonl")
    write_rows(rows[:100], folder / "half.jsonl")
    checks = {}
    for name in ("rows", "half"):
        out = str(folder / name)
        files = (str(folder / "rows.jsonl"), "--test", str(folder / f"{name}.jsonl"))
        short = [part for setting in (*SHORT, f"train.seed={seed}") for part in ("--set", setting)]
        checks[name] = call("run", *files, "--model", "demo", "--out", out, *short)[0]
    trained = (folder / "half" / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    lines = [json.loads(line)["line"] for line in trained]
    holds = checks == {"rows": 3, "half": 0} and min(lines) > 100
    return {"codes": checks, "trained_rows": len(lines), "holds": holds}


def try_few(folder: Path, seed: int) -> Result:
    """NOT ENOUGH EVIDENCE, with the rows that are needed."""
    rows = [row for row in read_demo() if row["task"] == "extract"][:60]
    found = run_rows(rows, folder, *DEMO_SIZE, "--set", f"train.seed={seed}")
    return found | {"holds": found.get("decision") == "not_enough_evidence" and bool(found["rows_needed"])}


TRIES: dict[str, Callable[[Path, int], Result]] = {
    "shuffled": try_shuffled,
    "nothing": try_nothing,
    "demo": try_demo,
    "planted": try_planted,
    "cured": try_cured,
    "leaked": try_leaked,
    "few": try_few,
}


def draw_table(found: dict[str, dict[str, Result]]) -> str:
    """What came out, a line an experiment; of several seeds each decision with its number."""
    lines = [
        "| experiment | seeds | verdicts | gain, points | lost, gained of right | holds | commit |",
        "|" + " --- |" * 7,
    ]
    for name in TRIES:
        results = [found[name][seed] for seed in sorted(found.get(name, {}), key=int)]
        if not results:
            continue
        decisions = Counter(one.get("decision") or str(one.get("codes")) for one in results)
        gains = [100 * one["delta"] for one in results if one.get("delta") is not None]
        flips = [one["probes"] for one in results if "probes" in one]
        told = [
            name,
            str(len(results)),
            ", ".join(f"{decision} {count}" for decision, count in decisions.most_common()),
            f"{min(gains):+.1f} to {max(gains):+.1f}" if len(gains) > 1 else "".join(f"{gain:+.1f}" for gain in gains),
            f"{sum(one['lost'] for one in flips)}, {sum(one['gained'] for one in flips)} of "
            f"{sum(one['base_right'] for one in flips)}"
            if flips
            else "",
            f"{sum(one['holds'] for one in results)} of {len(results)}",
            ", ".join(sorted({one["commit"] for one in results})),
        ]
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines)


def load_found(file: Path) -> dict[str, dict[str, Result]]:
    """Experiment -> seed -> what came out."""
    found: dict[str, dict[str, Result]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def save_found(found: dict[str, dict[str, Result]]) -> None:
    """Keep what came out, and write the table."""
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    RESULTS.write_text(fill_page(RESULTS.read_text(encoding="utf-8"), MARK, draw_table(found)), encoding="utf-8")


def main(names: Sequence[str], seeds: int, folder: Path, go_on: bool) -> int:
    """Run them, write what came out after each with its commit, and say what does not hold."""
    found = load_found(OUT)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, check=True)
    for name in names:
        for seed in range(1, seeds + 1):
            if go_on and str(seed) in found.get(name, {}):
                continue
            result = TRIES[name](folder / f"{name}-{seed}", seed) | {"commit": commit.stdout.strip()}
            found.setdefault(name, {})[str(seed)] = result
            save_found(found)
            told = {key: value for key, value in result.items() if key != "lost_items"}
            print(name, seed, json.dumps(told), flush=True)
    unsure = [one["decision"] == "not_enough_evidence" for one in found.get("nothing", {}).values() if one["holds"]]
    if "nothing" in names and len(unsure) >= SEEDS and sum(unsure) < UNSURE * len(unsure):
        return 1
    return int(not all(one["holds"] for name in names for one in found[name].values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*TRIES, []])
    parser.add_argument("--merge", type=Path, help="what another folder has found")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--go-on", action="store_true", help="leave out what is in the file already")
    parser.add_argument("--folder", type=Path, default=Path("runs/known_truth"))
    options = parser.parse_args()
    if options.merge:
        known, other = load_found(OUT), load_found(options.merge)
        save_found({name: known.get(name, {}) | other.get(name, {}) for name in {**known, **other}})
    sys.exit(main(options.names, options.seeds, options.folder, options.go_on))
