"""A base split over two ranks: each holds a part, and the gradients are those of the whole model, bit for bit.

Two processes over gloo, each with a whole and a split model of the same weights and with rows of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.model.test_offload import ROWS
from tests.model.test_step import load_tuned
from tests.source import ROOT
from tuneproof.model.crew import join_crew
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import enable_checkpointing
from tuneproof.model.split import GATHERED, count_gathered, count_part, list_shared, split_layers
from tuneproof.model.step import build_pack, get_base, sum_loss
from tuneproof.training.trainer import NOTHING

RANK = "import sys; from tests.model.test_split import compare; compare(sys.argv[1])"
PROMPT = [5, 6, 7]


def compare(folder: str) -> None:
    """One rank: print what a split model gives beside a whole one."""
    crew, found = join_crew(), []
    for checkpointing in (False, True):
        whole, split = load_tuned(Path(folder)).train(), load_tuned(Path(folder)).train()
        expected = [count_part(weight, crew.size) for layer in list_shared(split) for weight in layer]
        if checkpointing:
            enable_checkpointing(get_base(whole))
            enable_checkpointing(get_base(split))
        split_layers(split, "cpu")
        parts: list[Any] = [weight for layer in list_shared(split) for weight in layer]
        held = [part.to_local() for part in parts]
        wanted, got = (find_gradients(model, crew.rank) for model in (whole, split))
        answers = [generate_answers(model, [PROMPT], limits=[4], ends=[])[0].ids for model in (whole, split)]
        found.append(
            {
                "equal": len(wanted) == len(got) and all(map(torch.equal, wanted, got)),
                "gradients": sum(bool(one.any()) for one in got),
                "expected": expected,
                "held": [weight.numel() * weight.element_size() for weight in held],
                "answers": answers,
            }
        )
    sys.stdout.write(json.dumps(found) + "\n")


def find_gradients(model: Any, rank: int) -> list[Tensor]:
    """Of a pack of the rank's own and one without a row, twice: weights are gathered and let go of again."""
    for _ in range(2):
        model.zero_grad()
        for rows in ([ROWS[rank]], [NOTHING]):
            sum_loss(model, build_pack(rows, "cpu"), chunk=4).backward()
    return [weight.grad for weight in model.parameters() if weight.requires_grad]


def test_gradients_and_answers_are_those_of_the_whole_model(tiny_qwen_dir: Path) -> None:
    common = {**os.environ, "WORLD_SIZE": "2", "TUNEPROOF_MEETING": str(tiny_qwen_dir.parent / "meeting")}
    common["PYTHONPATH"] = os.pathsep.join(sys.path)
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(tiny_qwen_dir)],
            env={**common, "RANK": rank, "OMP_NUM_THREADS": "1"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    for rank in ranks:
        told, failed = rank.communicate(timeout=120)
        assert rank.returncode == 0, failed
        for found in json.loads(told.splitlines()[-1]):
            assert found["equal"]
            assert found["gradients"]
            assert found["held"] == found["expected"]
            assert found["answers"][0] == found["answers"][1]


def test_a_part_is_whole_rows_and_few_layers_are_gathered() -> None:
    weight = torch.empty(7, 3, dtype=torch.bfloat16)
    assert [count_part(weight, ranks) for ranks in (1, 2, 4, 8)] == [42, 24, 12, 6]
    layers = [[torch.empty(size)] for size in (5, 2, 9, 4)]
    assert GATHERED == 3
    assert count_gathered(layers) == 4 * (5 + 9 + 4)
