"""What stands beside the verdict: a judge model's opinion and standard benchmarks. Nothing here ends a run.

Both are asked for by the config, and what can be known to fail is told before training. What fails later is written
into the record and said; the next start of the run goes on with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pydantic import ValidationError

from tuneproof.errors import ConfigError, Fault, UsageError
from tuneproof.evals.harness import Subject, read_results, read_scores, write_command
from tuneproof.evals.judge import Ballot, count_votes, list_ballots, read_choice
from tuneproof.evals.remote import Endpoint, ask_model, read_host
from tuneproof.evals.task import spread_items
from tuneproof.model.find import find_model
from tuneproof.pipeline.work import Work
from tuneproof.records import Answer, HarnessRecord, Vote
from tuneproof.rundir import write_atomic

JUDGE_KEYS = ("base_url", "model", "api_key_env")
PARALLEL = 4
"""Questions to the judge that are open at a time."""
SHOWN = 1000
"""Characters, from the end, of what the harness said when it failed."""


def check_beside(work: Work) -> None:
    """Raise ConfigError or UsageError for what can be seen to fail before anything is trained."""
    if work.config.evaluate.judge:
        open_endpoint(work)
    if work.config.evaluate.harness:
        find_harness()


def open_endpoint(work: Work) -> Endpoint:
    """The judge as the config names it. Raises ConfigError with every fault."""
    named = work.config.evaluate.judge
    variable = named.get("api_key_env")
    where = "evaluate.judge"
    faults = [
        Fault("judge.key", where=where, key=key, known=", ".join(JUDGE_KEYS)) for key in named.keys() - JUDGE_KEYS
    ]
    if read_host(named.get("base_url", "")) is None:
        faults.append(Fault("judge.no_url", where=f"{where}.base_url"))
    if not named.get("model"):
        faults.append(Fault("judge.no_model", where=f"{where}.model"))
    if variable and not os.environ.get(variable):
        faults.append(Fault("judge.no_key", where=f"{where}.api_key_env", variable=variable))
    if faults:
        raise ConfigError(faults)
    return Endpoint(named["base_url"], named["model"], os.environ.get(variable) if variable else None)


def ask_judge(work: Work) -> None:
    """Let the judge vote on the test answers, both orders of each pair, and count."""
    knobs, run = work.config.evaluate, work.run
    if not knobs.judge:
        return
    base = spread_items(run.find_answers("base", "test"), knobs.judge_rows or sys.maxsize)
    by_id = {answer.id: answer for answer in run.find_answers("tuned", "test")}
    tuned = [by_id[answer.id] for answer in base]
    place = run.path / "eval" / "judge.jsonl"
    votes = load_votes(place)
    # A line cut short by a crash goes, or the next vote would be glued to it.
    write_atomic(place, "".join(vote.model_dump_json() + "\n" for vote in votes))
    error = None
    try:
        endpoint = open_endpoint(work)
        collect_votes(work, endpoint, list_ballots(base, tuned, votes), place)
    except UsageError as failure:
        error = str(failure)
        work.progress.say("judge.open", why=failure.message())
    save_opinion(work, base, tuned, error)


def save_opinion(work: Work, base: list[Answer], tuned: list[Answer], error: str | None) -> None:
    """Count the votes that there are, and have the report written anew."""
    named = work.config.evaluate.judge
    votes = load_votes(work.run.path / "eval" / "judge.jsonl")
    judge = {"model": named.get("model", "?"), "host": read_host(named.get("base_url", "")) or "?", "error": error}
    work.run.save(count_votes(votes, base, tuned).model_copy(update=judge))
    work.run.report.unlink(missing_ok=True)


def collect_votes(work: Work, endpoint: Endpoint, ballots: list[Ballot], place: Path) -> None:
    """Ask, and write each vote down as it comes. Raises UsageError when the judge refuses or stays away."""
    work.progress.begin("opinion", len(ballots))
    with place.open("a", encoding="utf-8") as file, ThreadPoolExecutor(PARALLEL) as pool:
        asked = {pool.submit(ask_model, endpoint, ballot.prompt): ballot for ballot in ballots}
        try:
            for done, future in enumerate(as_completed(asked), start=1):
                ballot, said = asked[future], future.result()
                vote = Vote(id=ballot.id, first=ballot.first, choice=read_choice(said, ballot.first), said=said[-200:])
                file.write(vote.model_dump_json() + "\n")
                file.flush()
                work.progress.advance(done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    work.progress.end("opinion")


def load_votes(place: Path) -> list[Vote]:
    """The votes so far; a line cut short by a crash is left out."""
    votes = []
    for line in place.read_text(encoding="utf-8", errors="replace").split("\n") if place.is_file() else []:
        try:
            votes.append(Vote.model_validate_json(line))
        except ValidationError:
            continue
    return votes


def find_harness() -> str:
    """The program of lm-evaluation-harness: on the path, or beside this Python. Raises UsageError without it."""
    program = shutil.which("lm_eval") or shutil.which("lm_eval", path=str(Path(sys.executable).parent))
    if program is None:
        raise UsageError("harness.missing", where="evaluate.harness")
    return program


def run_harness(work: Work) -> None:
    """Measure base and tuned model on the benchmarks, each in a process of its own."""
    tasks = work.config.evaluate.harness
    if not tasks:
        return
    work.progress.begin("harness", 2)
    # A second copy of the weights beside ours might not fit.
    work.drop_base()
    record = HarnessRecord(tasks=tasks)
    try:
        program, results = find_harness(), []
        for done, arm in enumerate(("base", "tuned"), start=1):
            results.append(measure_arm(work, program, arm))
            work.progress.advance(done)
        record.version = str(results[0].get("lm_eval_version") or "")
        record.scores = read_scores(results[0], results[1])
    except (UsageError, ValueError, OSError) as failure:
        record.error = str(failure)
        work.progress.say("harness.failed_said", why=record.error)
    work.run.save(record)
    work.run.report.unlink(missing_ok=True)
    work.progress.end("harness")


def measure_arm(work: Work, program: str, arm: str) -> dict[str, object]:
    """One arm's results. Raises UsageError with the harness's last words when it fails, ValueError without results."""
    folder = work.run.path / "eval" / "harness" / arm
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings, model = work.plan.settings, work.config.model
    subject = Subject(
        base=find_model(model.name or ""),
        dtype=settings.dtype,
        device=work.hardware.device,
        adapter=work.run.adapter.resolve() if arm == "tuned" else None,
        four_bit=settings.quantization == "nf4",
        revision=model.revision,
    )
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as file:
        command = write_command(program, subject, work.config.evaluate.harness, folder.resolve())
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT).returncode
    if code != 0:
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-SHOWN:]
        raise UsageError("harness.failed", where=str(log), arm=arm, code=code, why=said)
    return read_results(folder)
