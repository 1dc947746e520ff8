"""Sketches keep inner products, gradients are those of the step, and Adam's scales are Adam's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor
from transformers import set_seed

from tuneproof.explain.gradient import (
    BUCKETS,
    Sketcher,
    hash_coordinates,
    read_scales,
    scale_to_one,
    sketch_vector,
)
from tuneproof.model.chat import Encoded
from tuneproof.model.drift import Reading
from tuneproof.model.load import add_adapter, load_base
from tuneproof.model.step import build_optimizer, build_pack, sum_loss

COUNT = 60_000
READING = Reading(pack_tokens=512, chunk=64, plain_head=True)
ROWS = [
    Encoded([3 + (7 * at + start) % 300 for at in range(length)], [at > 2 for at in range(length)])
    for start, length in ((0, 9), (40, 30), (90, 14), (91, 14))
]


@given(st.integers(0, 2**32 - 1), st.floats(-1, 1), st.floats(0, 3), st.booleans())
def test_inner_products_survive_within_the_bound(seed: int, mix: float, tail: float, positive: bool) -> None:
    """Six standard deviations of the estimate: sqrt((|x|^2 |y|^2 + <x,y>^2) / buckets). With all numbers positive, as
    half of the vectors are, a sketch without signs would be off by about |x| |y|.
    """
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, COUNT, generator=generator, dtype=torch.float64)
    x = x.sign() * x.abs() ** (1 + tail)
    y = mix * x + (1 - abs(mix)) * noise
    if positive:
        x, y = x.abs(), y.abs()
    slots = hash_coordinates(COUNT)
    exact, kept = float(x @ y), float(sketch_vector(x, slots) @ sketch_vector(y, slots))
    assert abs(kept - exact) <= 6 * float((x @ x) * (y @ y) + exact**2) ** 0.5 / BUCKETS**0.5


def test_every_bucket_is_used_with_both_signs_and_always_the_same() -> None:
    slots = hash_coordinates(80 * BUCKETS)
    assert torch.equal(slots, hash_coordinates(80 * BUCKETS))
    assert torch.bincount(slots, minlength=2 * BUCKETS).min() > 0
    assert float(sketch_vector(torch.ones(80 * BUCKETS), slots).mean().abs()) < 0.5


@pytest.fixture(scope="module")
def trained(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A tiny model whose adapter has taken a few steps, and its checkpoint."""
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
    set_seed(17)
    model = add_adapter(base.model, rank=4, alpha=8, dropout=0.3, targets="all-linear")
    optimizer = build_optimizer(model.parameters(), 1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        sum_loss(model, build_pack(ROWS, "cpu"), chunk=64).backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("gradient") / "checkpoint-4"
    folder.mkdir()
    weights = {name.replace(".default", ""): value for name, value in model.state_dict().items() if "lora_" in name}
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "adapter_model.safetensors")
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    return model, folder


@pytest.fixture
def sketcher(trained: tuple[Any, Path]) -> Iterator[Sketcher]:
    """Without Adam's scales, at the checkpoint."""
    model, folder = trained
    one = Sketcher(model, READING, adam=False)
    with one.at_checkpoint(folder):
        yield one


def test_the_gradient_is_that_of_the_training_step(sketcher: Sketcher) -> None:
    """Against a small step along it: the loss falls as the gradient says, so no token and no parameter is left out."""
    gradient_P = sketcher.find_gradient(ROWS[1])

    def loss_at(step: float) -> float:
        start = 0
        with torch.no_grad():
            for parameter in sketcher.parameters:
                piece = gradient_P[start : start + parameter.numel()].view_as(parameter)
                parameter += step * piece / gradient_P.norm()
                start += parameter.numel()
            loss = float(sum_loss(sketcher.model, build_pack([ROWS[1]], "cpu"), chunk=64))
            for parameter, before in zip(sketcher.parameters, kept, strict=True):
                parameter.copy_(before)
        return loss

    kept = [parameter.detach().clone() for parameter in sketcher.parameters]
    slope = (loss_at(1e-2) - loss_at(-1e-2)) / 2e-2
    assert slope == pytest.approx(float(gradient_P.norm()), rel=2e-2)


def test_dropout_is_off_so_a_gradient_is_a_fact(sketcher: Sketcher) -> None:
    assert torch.equal(sketcher.sketch_row(ROWS[0]), sketcher.sketch_row(ROWS[0]))
    assert sketcher.model.training


def test_the_model_is_left_as_it_was(trained: tuple[Any, Path]) -> None:
    model, folder = trained
    model.eval()
    with Sketcher(model, READING, adam=False).at_checkpoint(folder):
        pass
    assert not any(module.training for module in model.modules())
    model.train()
    with Sketcher(model, READING, adam=False).at_checkpoint(folder):
        pass
    assert all(module.training for module in model.modules())


def test_cosines_of_sketches_are_those_of_the_gradients(sketcher: Sketcher) -> None:
    exact = [scale_to_one(sketcher.find_gradient(row)) for row in ROWS]
    short = [sketcher.sketch_row(row) for row in ROWS]
    for at in range(len(ROWS)):
        for other in range(at):
            assert float(short[at] @ short[other]) == pytest.approx(float(exact[at] @ exact[other]), abs=0.05)
    assert [float(one.norm()) for one in short] == pytest.approx([1.0] * len(ROWS))


def test_an_answer_points_away_from_what_it_is_held_against(sketcher: Sketcher) -> None:
    said, against = ROWS[2], ROWS[3]
    plain, held = sketcher.sketch_answer(said, None), sketcher.sketch_answer(said, against)
    assert torch.equal(plain, sketcher.sketch_row(said))
    assert float(held @ sketcher.sketch_row(against)) < float(plain @ sketcher.sketch_row(against))
    assert torch.allclose(sketcher.sketch_answer(against, said), -held, atol=1e-5)
    assert not sketcher.sketch_answer(said, said).any()


def test_adams_scales_turn_a_gradient_into_adams_step(trained: tuple[Any, Path], tmp_path: Path) -> None:
    """After one step from nothing the second moment is the square of the gradient, so its root divides to a sign."""
    model, _ = trained
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = build_optimizer(model.parameters(), 0.0)
    generator = torch.Generator().manual_seed(17)
    gradients: list[Tensor] = []
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)
        gradients.append(parameter.grad.flatten())
    optimizer.step()
    optimizer.zero_grad()
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    steps = read_scales(tmp_path) * torch.cat(gradients)
    assert torch.allclose(steps.abs(), torch.ones_like(steps), atol=1e-3)


def test_with_adam_rows_are_scaled_and_answers_are_not(trained: tuple[Any, Path]) -> None:
    model, folder = trained
    plain, adam = Sketcher(model, READING, adam=False), Sketcher(model, READING)
    with plain.at_checkpoint(folder):
        rows, answers = plain.sketch_row(ROWS[0]), plain.sketch_answer(ROWS[0], ROWS[1])
        expected = scale_to_one(sketch_vector(plain.find_gradient(ROWS[0]) * read_scales(folder), plain.slots_P))
    with adam.at_checkpoint(folder):
        assert torch.allclose(adam.sketch_row(ROWS[0]), expected, atol=1e-6)
        assert not torch.allclose(adam.sketch_row(ROWS[0]), rows, atol=1e-2)
        assert torch.allclose(adam.sketch_answer(ROWS[0], ROWS[1]), answers, atol=1e-6)
