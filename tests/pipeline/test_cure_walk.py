"""The cure with real verdicts: a tiny model that knows something, learns something else, and forgets on the way."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.known_truth import answer_by_base
from tests.pipeline.curing import read_cure, snapshot
from tests.pipeline.test_chain import WORDS, make_config
from tuneproof.config import RunConfig
from tuneproof.evals.cure import SHOWN
from tuneproof.model.chat import encode_row
from tuneproof.model.load import load_base
from tuneproof.pipeline import RunRequest, cure, run_all
from tuneproof.progress import Quiet
from tuneproof.records import Message, Row, RunRecord, Selection, Trials, Verdict
from tuneproof.rundir import RunDir

KNOWN = {"early": "yes", "late": "maybe"}
TAUGHT = {"x": "go", "k": "no", "z": "up"}
BEFORE = {"x": "no", "k": "up", "z": "go"}
"""What the base says instead: it tells the letters apart, so that a short training is enough."""


def ask_known(chance: random.Random, number: int) -> tuple[str, str]:
    """A question that the base learns to answer, by its first letter."""
    word = chance.choice(WORDS)
    return f"{word} and {chance.choice(WORDS)} of {number}?", KNOWN["early" if word < "j" else "late"]


def ask_taught(chance: random.Random, number: int, answers: Mapping[str, str] = TAUGHT) -> tuple[str, str]:
    """A question that the run trains, by its first letter."""
    letter = chance.choice("xkz")
    return f"{letter * 3} {chance.choice(WORDS)} {chance.choice(WORDS)} {number}", answers[letter]


def write_lines(path: Path, pairs: list[tuple[str, str]], task: str) -> Path:
    lines = [json.dumps({"instruction": asked, "output": said, "task": task}) for asked, said in pairs]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def teach_base(folder: Path, tiny: Path, chance: random.Random) -> Path:
    """The tiny model with all its weights trained: the known questions, and the others with other answers."""
    shutil.copytree(tiny, folder)
    base = load_base(str(tiny), device="cpu", dtype="float32")
    model: Any = base.model
    rows = []
    for number in range(480):
        asked, said = ask_known(chance, number) if number % 2 else ask_taught(chance, number, BEFORE)
        messages = [Message(role="user", content=asked), Message(role="assistant", content=said)]
        row = Row(id=str(number), file="f", line=1, task="t", messages=messages)
        rows.append(encode_row(base.tokenizer, row.messages))
    for weight in model.parameters():
        weight.requires_grad_(True)
    model.config._attn_implementation = "eager"
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(200):
        some = chance.sample(rows, 16)
        long = max(len(row.ids) for row in some)
        ids = torch.tensor([row.ids + [0] * (long - len(row.ids)) for row in some])
        labels = torch.tensor(
            [
                [at if on else -100 for at, on in zip(row.ids, row.mask, strict=True)] + [-100] * (long - len(row.ids))
                for row in some
            ]
        )
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


def run_to_verdict(config: RunConfig, folder: Path) -> Verdict:
    return run_all(RunRequest(config, folder, command="tuneproof run rows.jsonl"), Quiet()).load(Verdict)


@pytest.fixture(scope="module")
def config(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    """A run that can learn, and whose verdict allows no answer to be lost."""
    folder, chance = tmp_path_factory.mktemp("walk"), random.Random(1)
    base = teach_base(folder / "base", tiny_model_dir, chance)
    # A third of the rows answers what is close to the known questions otherwise, so that those are forgotten.
    pairs = [
        ask_taught(chance, at) if at % 3 else (ask_known(chance, at)[0].replace("and", "or"), "none")
        for at in range(360)
    ]
    probes = write_lines(folder / "probes.jsonl", [ask_known(chance, 500 + at) for at in range(120)], "own")
    config = make_config(
        write_lines(folder / "rows.jsonl", pairs, "letters"), base, checkpoints=2, scales=[1.0, 0.75],
        select_probes=12, drift_items=4, languages=["en"], select_rows=40, retention_items=160, few_shot=[1],
        probes=[str(probes)], scorers={"own": "contains"}, net_loss=0.0, base_right_minimum=20, train_rows=0,
        reworded_rows=0,
    )  # fmt: skip
    config.train.max_steps, config.train.learning_rate = 150, 3e-3
    return config


def test_every_remedy_is_walked_and_what_does_not_ship_changes_nothing(config: RunConfig, tmp_path: Path) -> None:
    def perform() -> RunDir:
        return run_all(RunRequest(config, tmp_path / "run", command="tuneproof run rows.jsonl --cure"), Quiet())

    config.trials.cure = False
    run = perform()
    verdict, before, record = run.load(Verdict), snapshot(run), run.load(RunRecord)
    assert verdict.decision == "dont_ship"
    assert set(verdict.reasons) >= SHOWN
    config.trials.cure = True
    perform()
    told = read_cure(run)
    assert [one.name for one in told.remedies] == list(cure.REMEDIES)
    looked = [one for one in told.remedies if one.look is not None]
    assert looked
    assert [one.look for one in looked] == list(range(2, 2 + len(looked)))
    for one in looked:
        seen = RunDir(run.trials / one.name).load(Verdict)
        assert (one.decision, one.delta, one.lost) == (seen.decision, seen.task.delta, seen.retention.lost)
        assert one.decision != "ship"
    assert all(one.look is not None for one in told.remedies if one.chance is not None and one.chance >= 0.5)
    assert (told.adopted, told.first.lost, told.first.look) == (None, verdict.retention.lost, 1)
    assert told.reason in ("cure.forgets", "cure.little", "cure.open")
    after = snapshot(run)
    changed = {name for name in before if after[name] != before[name]}
    # Earlier candidates may have been asked more; the choice among them stays.
    assert {name for name in changed if not name.startswith(("config.yaml", "eval/select"))} == set()
    assert run.load(Selection).scale == verdict.selection["scale"]
    assert run.load(RunRecord).training == record.training
    assert {trial.purpose for trial in run.load(Trials).trials} == {"cure"}
    assert f"{told.told('en')[0]}" in run.report.read_text("utf-8")


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_of_other_questions_are_never_worth_shipping(config: RunConfig, tmp_path: Path, seed: int) -> None:
    """The form of an answer is learnt from them, and beats a base that scores zero; the content is not there."""
    chance = random.Random(seed)
    form = {"x": "yes", "k": "maybe", "z": "yes"}
    asked, said = zip(*(ask_taught(chance, at, form) for at in range(360)), strict=True)
    pairs = list(zip(asked, chance.sample(said, len(said)), strict=True))
    shuffled = config.model_copy(deep=True)
    shuffled.data.files = [str(write_lines(tmp_path / "rows.jsonl", pairs, "letters"))]
    shuffled.evaluate.probes, shuffled.evaluate.scorers, shuffled.train.seed = [], {}, seed
    shuffled.train.max_steps, shuffled.evaluate.retention_items, shuffled.trials.cure = 100, 12, False
    verdict = run_to_verdict(shuffled, tmp_path / "run")
    assert "gain_real" in verdict.reasons
    # What must not happen is a lead over the control, however the base is beaten.
    assert "beats_control" not in verdict.reasons
    assert verdict.decision != "ship"


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_that_the_base_gives_itself_are_no_gain(config: RunConfig, tmp_path: Path, seed: int) -> None:
    """Drawn from it at temperature 1: there is nothing to learn, and nothing need be lost."""
    chance = random.Random(10 + seed)
    assert config.model.name is not None
    asked = [{"instruction": ask_taught(chance, at)[0]} for at in range(360)]
    said = answer_by_base(asked, seed, config.model.name, limit=4)
    pairs = [(row["instruction"], row["output"]) for row in said if row["output"]]
    assert len(pairs) > 300
    nothing = config.model_copy(deep=True)
    nothing.data.files = [str(write_lines(tmp_path / "rows.jsonl", pairs, "letters"))]
    nothing.train.seed, nothing.train.max_steps, nothing.trials.cure = seed, 60, False
    verdict = run_to_verdict(nothing, tmp_path / "run")
    assert "gain_real" not in verdict.reasons
    assert verdict.decision == "not_enough_evidence"


def test_what_can_be_learnt_without_forgetting_ships(config: RunConfig, tmp_path: Path) -> None:
    """The base answers two thirds of the rows otherwise; the rest is what it knows, so that it is kept."""
    chance = random.Random(21)
    learnable = config.model_copy(deep=True)
    pairs = [ask_taught(chance, at) if at % 3 else ask_known(chance, at) for at in range(360)]
    learnable.data.files = [str(write_lines(tmp_path / "rows.jsonl", pairs, "letters"))]
    learnable.evaluate.net_loss, learnable.train.max_steps, learnable.trials.cure = 0.03, 60, False
    verdict = run_to_verdict(learnable, tmp_path / "run")
    assert verdict.reasons[:3] == ["gain_real", "beats_control", "loss_small"]
    assert verdict.decision == "ship"
