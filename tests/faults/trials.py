"""Kill trials: a training, or the whole chain, is killed again and again, and must end as if nothing had happened.

    python -m tests.faults.trials --trainings 5 --chains 1 --seed 1        # one JSON object on stdout

The libraries and the model are loaded once; each attempt is a fork, so it costs a second or less. What a training comes
to undisturbed is found once for each way of doing it. A kill is SIGKILL: at a
random moment, or right before a random write of the run folder (in the middle of a save, between two renames). A
training is packed, cut into several forwards a step (gradient accumulation), fed by two loader workers, and saves at
the end of each epoch; every third trial saves at every step instead, every fifth has a base in bfloat16.

In: how many, a seed. Out: for each trial the kills, where they hit, and whether the outcome is the undisturbed one.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import scipy.stats  # noqa: F401 - a second, in each chain that has to import it itself
from transformers import LlamaConfig, set_seed

from tests.conftest import save_tiny
from tests.faults.injection import Deed, Fault, arm
from tests.pipeline.test_chain import make_config, write_rows
from tests.training.conftest import SHAPE, make_rows
from tuneproof.config import RunConfig
from tuneproof.errors import TuneproofError
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import Base, add_adapter, load_base
from tuneproof.pipeline import RunRequest, Until, run_all
from tuneproof.pipeline.chain import CHAIN
from tuneproof.progress import Quiet
from tuneproof.records import Verdict
from tuneproof.rundir import RunDir
from tuneproof.training.dataset import RowSet, encode_rows
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport

ROWS, BATCH, EPOCHS = 23, 4, 3
PER_EPOCH = -(-ROWS // BATCH)
MOST_KILLS = 4
"""Of one training."""
DEEDS: tuple[Deed, ...] = ("kill", "full")
LONGEST = 120.0
"""Seconds that an attempt may take."""
Work = Callable[[], None]


class Case(NamedTuple):
    """How a training is done."""

    dtype: DtypeName = "float32"
    save_steps: int = PER_EPOCH
    workers: int = 2


class Attempt(NamedTuple):
    """How an attempt ended."""

    code: int
    """Exit code; -9 when it was killed."""
    writes: dict[str, int]
    """Writes by stage (of a training: one, without a name) of an attempt that only counted them."""
    seconds: float


def attempt(work: Work, fault: Fault, kill_after: float | None = None) -> Attempt:
    """Do `work` in a fork, with a fault or killed after some seconds.

    The fork leads a session of its own: a loader worker that was forked in the moment of the kill never learns of it
    (torch compares its parent with what it found when it began), and is ended with the session.
    """
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(_perform(work, fault, writer))
    os.close(writer)
    limit = LONGEST if kill_after is None else kill_after
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() - started > limit:
            os.kill(child, signal.SIGKILL)
            limit = LONGEST
        time.sleep(0.002)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    return Attempt(os.waitstatus_to_exitcode(done[1]), json.loads(told or b"{}"), time.monotonic() - started)


def _perform(work: Work, fault: Fault, writer: int) -> int:
    """The child: its exit code."""
    try:
        arm(fault)
        work()
        os.write(writer, json.dumps(fault.counted | {fault.stage: fault.seen}).encode())
    except TuneproofError as error:
        return error.exit_code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def make_training(base: Base, case: Case, folder: Path) -> Work:
    """A training whose run folder is `folder`."""
    rows = encode_rows(base.tokenizer, make_rows(ROWS))

    def train() -> None:
        run_training(base, rows, case, folder)

    return train


def run_training(base: Base, rows: RowSet, case: Case, folder: Path) -> None:
    """Train to the end, from the newest whole checkpoint on."""
    set_seed(17)
    model = add_adapter(base.model, rank=2, alpha=4, dropout=0.1, targets="all-linear")
    config = RunConfig()
    config.train.batch_size, config.train.epochs, config.train.learning_rate = BATCH, float(EPOCHS), 1e-3
    config.train.save_steps, config.train.loader_workers = case.save_steps, case.workers
    run = RunDir(folder)
    log = StepLog(list_steps(run), lambda report: run.log_event("step", **report._asdict()))
    # Packs of 24 tokens: each step of 4 rows takes several forwards.
    shape = SHAPE._replace(pack_tokens=24)
    train_adapter(model, rows, config=config, shape=shape, folder=run.checkpoints, log=log)


def list_steps(run: RunDir) -> list[StepReport]:
    """The steps done so far, the last report of each."""
    fields = StepReport._fields
    steps = {event["step"]: StepReport(**{name: event[name] for name in fields}) for event in run.load_events()}
    return [steps[step] for step in sorted(steps)]


def hash_weights(folder: Path) -> str:
    """Hash of the adapter in a folder."""
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


class Whole(NamedTuple):
    """A training that nothing disturbed."""

    run: RunDir
    writes: int
    seconds: float


def train_whole(base: Base, case: Case, folder: Path) -> Whole:
    """Train without a fault. Raises AssertionError when that fails."""
    ended = attempt(make_training(base, case, folder), Fault(str(folder), 0, "count"))
    assert ended.code == 0, ended
    return Whole(RunDir(folder), ended.writes[""], ended.seconds)


def try_training(base: Base, case: Case, undisturbed: Whole, killed: Path, dice: random.Random) -> dict[str, Any]:
    """One training that is killed, and whether it ended as the undisturbed one."""
    last = f"checkpoint-{EPOCHS * PER_EPOCH}"
    work = make_training(base, case, killed)
    kills: list[dict[str, float]] = []
    for _ in range(dice.randint(1, MOST_KILLS)):
        if dice.random() < 0.6:
            at = dice.randint(1, undisturbed.writes)
            ended = attempt(work, Fault(str(killed), at, "kill"))
            kills.append({"before_write": at, "hit": ended.code == -signal.SIGKILL})
        else:
            after = dice.uniform(0.2, 1.0) * undisturbed.seconds
            ended = attempt(work, Fault(str(killed), 0, "count"), after)
            kills.append({"after_seconds": round(after, 3), "hit": ended.code == -signal.SIGKILL})
    ended = attempt(work, Fault(str(killed), 0, "count"))
    runs = [undisturbed.run, RunDir(killed)]
    # The loss of a step tells which rows it saw: each row once an epoch, in the same order.
    same = ended.code == 0 and all(
        len({str(kind(run)) for run in runs}) == 1
        for kind in (list_steps, lambda run: hash_weights(run.checkpoints / last))
    )
    return {"kind": "training", "case": case._asdict(), "kills": kills, "code": ended.code, "same": same}


def make_chain(model: Path, data: Path, out: Path, until: str = "report") -> Work:
    """The chain up to a stage; once begun it goes on."""
    knobs: dict[str, Any] = {"checkpoints": 1, "scales": [1.0], "select_probes": 4, "drift_items": 2, "few_shot": []}
    config = make_config(data, model, **knobs)
    config.train.loader_workers = 2

    def walk() -> None:
        request = RunRequest(config.model_copy(deep=True), out, command="tuneproof run rows.jsonl")
        run_all(request._replace(until=cast(Until, until)), Quiet())

    return walk


def fault_in(stage: str, fault: Fault, work: Work) -> Work:
    """The work, with the fault armed from the moment at which a stage begins to its end; without a name: throughout."""

    def perform() -> None:
        tell = RunDir.log_event

        def listen(run: RunDir, kind: str, **facts: object) -> None:
            tell(run, kind, **facts)
            if kind == "stage_start":
                fault.begin(str(facts["stage"]), armed=stage in ("", facts["stage"]))

        RunDir.log_event = listen  # type: ignore[method-assign,assignment]
        work()

    return perform


def describe_outcome(run: RunDir) -> dict[str, Any]:
    """What a chain came to: all that may not depend on how often it was killed."""
    return {
        "adapter": hash_weights(run.adapter),
        "verdict": run.load(Verdict).model_dump(mode="json", exclude={"seconds"}),
        "answers": [answer.model_dump() for answer in run.load_answers("tuned", "test")],
    }


def try_chain(model: Path, folder: Path, dice: random.Random) -> dict[str, Any]:
    """One chain that is killed once in every stage, and finds the disk full once in every stage."""
    data = write_rows(folder / "rows.jsonl", 110)
    whole, out = folder / "whole", folder / "run"
    count = Fault(str(whole), 0, "count")
    plain = attempt(fault_in("", count, make_chain(model, data, whole)), count)
    faults = []
    for stage in CHAIN:
        work = make_chain(model, data, out, stage.name)
        for deed in DEEDS:
            fault = Fault(str(out), dice.randint(1, plain.writes[stage.name]), deed, armed=False)
            ended = attempt(fault_in(stage.name, fault, work), fault)
            faults.append({"stage": stage.name, "deed": deed, "before_write": fault.at, "code": ended.code})
    ended = attempt(make_chain(model, data, out), Fault(str(out), 0, "count"))
    same = ended.code == plain.code == 0 and describe_outcome(RunDir(whole)) == describe_outcome(RunDir(out))
    return {"kind": "chain", "faults": faults, "code": ended.code, "same": same}


def do_trials(place: Path, trainings: int, chains: int, seed: int) -> list[dict[str, Any]]:
    """All trials, one after another."""
    model = save_tiny(place / "tiny-llama", LlamaConfig, tie_word_embeddings=True)
    names: tuple[DtypeName, ...] = ("float32", "bfloat16")
    bases = {name: load_base(str(model), device="cpu", dtype=name) for name in names}
    # What is there now is no attempt's garbage: the collector of a fork need not walk through it, nor copy it.
    gc.freeze()
    whole: dict[Case, Whole] = {}
    trials = []
    for number in range(trainings):
        case = Case(
            dtype="bfloat16" if number % 5 == 4 else "float32",
            save_steps=1 if number % 3 == 2 else PER_EPOCH,
        )
        base = bases[case.dtype]
        if case not in whole:
            whole[case] = train_whole(base, case, place / f"whole-{len(whole)}")
        dice = random.Random(f"{seed} {number}")
        trials.append(try_training(base, case, whole[case], place / f"training-{number}", dice))
    for number in range(chains):
        folder = place / f"chain-{number}"
        folder.mkdir()
        trials.append(try_chain(model, folder, random.Random(f"{seed} chain {number}")))
    return trials


def main() -> int:
    """Do the trials and tell what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=5)
    parser.add_argument("--chains", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        trials = do_trials(Path(place), options.trainings, options.chains, options.seed)
    json.dump({"trials": trials, "seconds": round(time.monotonic() - started, 1)}, sys.stdout, indent=1)
    return 0 if all(trial["same"] for trial in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
