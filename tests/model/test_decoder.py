"""A decoder's recorded passes give the loss and the gradients of the model's own way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaConfig, Qwen2Config

from tests.model.test_generate import Repeats, build_model
from tuneproof.model import liger
from tuneproof.model.chat import Encoded
from tuneproof.model.decoder import RecordedDecoder, Room, choose_fineness, round_up
from tuneproof.model.fused import fuse_layers
from tuneproof.model.graph import Recorder, Recording
from tuneproof.model.load import add_adapter
from tuneproof.model.rotary import turn
from tuneproof.model.step import build_pack, count_trained, sum_loss

ROOM = Room(tokens=300, rows=4, longest=130)


def build_tuned(config_class: Any) -> PeftModel:
    torch.manual_seed(1)
    base = build_model(config_class, num_attention_heads=4, num_key_value_heads=2)
    model = add_adapter(base.requires_grad_(False), rank=2, alpha=4, dropout=0.0, targets="all-linear")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def make_rows(*lengths: int) -> list[Encoded]:
    generator = torch.Generator().manual_seed(sum(lengths))
    return [
        Encoded(torch.randint(5, 250, (length,), generator=generator).tolist(), [at % 3 > 0 for at in range(length)])
        for length in lengths
    ]


def read_gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("config_class", [LlamaConfig, Qwen2Config])
def test_packs_of_a_step_add_up_to_the_plain_loss_and_gradients(config_class: Any) -> None:
    """Of several lengths and numbers of rows, some of which share a recording; padded and not; two steps."""
    model = build_tuned(config_class)
    recorder = Repeats(model)
    recorder.made.clear()
    decoder = RecordedDecoder(model, ROOM, recorder)  # type: ignore[arg-type]
    for packs in ([make_rows(60, 5), make_rows(20, 25, 10, 8), make_rows(64)], [make_rows(130, 100, 70), make_rows(3)]):
        model.zero_grad(set_to_none=True)
        for rows in packs:
            (sum_loss(model, build_pack(rows, "cpu"), chunk=16) / count_trained(rows)).backward()
        wanted = read_gradients(model)
        assert all(float(gradient.abs().max()) > 0 for gradient in wanted.values())
        model.zero_grad(set_to_none=True)
        decoder.begin()
        for rows in packs:
            pack = build_pack(rows, "cpu")
            loss = sum_loss(model, pack, chunk=16, decoder=decoder) / count_trained(rows)
            loss.backward()
            plain = sum_loss(model, pack, chunk=16) / count_trained(rows)
            torch.testing.assert_close(loss, plain)
        found = read_gradients(model)
        assert found.keys() == wanted.keys()
        for name, gradient in found.items():
            torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-5)
    assert sorted(decoder.recorded) == [64, 128, 320]
    assert len(recorder.made) == 2 * len(decoder.recorded)


def test_short_rows_are_padded_by_as_many_as_it_takes() -> None:
    model = build_tuned(Qwen2Config)
    for tokens, rows in ((9, 1), (70, 14), (520, 104)):
        decoder = RecordedDecoder(model, Room(tokens, rows, 5), Repeats(model))  # type: ignore[arg-type]
        for count in (1, rows):
            pack = build_pack(make_rows(*[5] * count), "cpu")
            loss = sum_loss(model, pack, chunk=16, decoder=decoder)
            assert decoder.recorded
            torch.testing.assert_close(loss, sum_loss(model, pack, chunk=16))


def test_a_pack_that_is_larger_than_was_said_is_computed_as_ever() -> None:
    model = build_tuned(Qwen2Config)
    decoder = RecordedDecoder(model, ROOM, Repeats(model))  # type: ignore[arg-type]
    for rows in (make_rows(130, 130, 61), make_rows(3, 3, 3, 3, 3)):
        pack = build_pack(rows, "cpu")
        assert decoder.read(pack) is None
        assert torch.equal(sum_loss(model, pack, chunk=16, decoder=decoder), sum_loss(model, pack, chunk=16))


def test_what_cannot_be_recorded_is_computed_as_ever() -> None:
    """Also where it fails at the second length, or in the backward pass: the same loss, and nothing more is tried."""
    for works_for in range(4):
        model = build_tuned(Qwen2Config)
        made: list[Callable[[], None]] = []

        class Fails(Repeats):
            def record(self, work: Any, beside: Any = None) -> Recording | None:
                self.made.append(work)
                self.works = len(self.made) <= works_for  # noqa: B023
                return Recording(work, None) if self.works else None

        Fails.made = made
        decoder = RecordedDecoder(model, ROOM, Fails(model))  # type: ignore[arg-type]
        for lengths in ((60, 5), (64,), (130, 9), (60,)):
            pack = build_pack(make_rows(*lengths), "cpu")
            decoder.begin()
            loss = sum_loss(model, pack, chunk=16, decoder=decoder)
            loss.backward()
            found = read_gradients(model)
            model.zero_grad(set_to_none=True)
            plain = sum_loss(model, pack, chunk=16)
            plain.backward()
            torch.testing.assert_close(loss, plain)
            for name, gradient in read_gradients(model).items():
                torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-5)
        assert len(made) == works_for + 1 if works_for < 4 else 4
        assert not decoder.works


def imitate_liger(called: Counter[str]) -> liger.Kernels:
    """What Liger's kernels do, in PyTorch: in the memory of what they are given."""

    class Rotate(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: torch.Tensor) -> Any:
            query, key, ctx.cos, ctx.sin = given
            called["rotate"] += 1
            near, far = ctx.sin[:, None].chunk(2, -1)
            return tuple(one.copy_(turn(one.clone(), ctx.cos[:, None], near, far)) for one in (query, key))

        @staticmethod
        def backward(ctx: Any, *outer: torch.Tensor) -> Any:
            near, far = ctx.sin[:, None].chunk(2, -1)
            return *(turn(one, ctx.cos[:, None], far, near, -1) for one in outer), None, None

    def join(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        called["join"] += 1
        return torch.nn.functional.silu(gate) * up

    def part(gate: torch.Tensor, up: torch.Tensor, by_product: torch.Tensor) -> Any:
        called["part"] += 1
        by_up = by_product * torch.nn.functional.silu(gate)
        by_gate = torch.ops.aten.silu_backward(by_product * up, gate)
        return gate.copy_(by_gate), up.copy_(by_up)

    return liger.Kernels(Rotate.apply, join, part)


def test_fused_kernels_are_used_in_what_is_recorded_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins that work in place, as Liger's do; and where they fail, the model's own way is recorded."""
    called: Counter[str] = Counter()
    monkeypatch.setattr(liger, "load_kernels", lambda: imitate_liger(called))
    model = build_tuned(Qwen2Config)
    fuse_layers(model)
    rows = make_rows(60, 30)
    pack = build_pack(rows, "cpu")
    sum_loss(model, pack, chunk=16).backward()
    wanted = read_gradients(model)
    assert not called
    model.zero_grad(set_to_none=True)
    decoder = RecordedDecoder(model, ROOM, Repeats(model))  # type: ignore[arg-type]
    decoder.fused = True
    decoder.begin()
    sum_loss(model, pack, chunk=16, decoder=decoder).backward()
    assert decoder.fused
    assert called.keys() == {"rotate", "join", "part"}
    for name, gradient in read_gradients(model).items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-5)

    def fail(*given: Any) -> Any:
        raise OSError("no C compiler")

    monkeypatch.setattr(liger, "load_kernels", lambda: liger.Kernels(fail, fail, fail))
    decoder = RecordedDecoder(model, ROOM, Repeats(model))  # type: ignore[arg-type]
    decoder.fused = True
    decoder.begin()
    sum_loss(model, pack, chunk=16, decoder=decoder).backward()
    assert decoder.works
    assert not decoder.fused
    for name, gradient in read_gradients(model).items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-5)


def test_recorded_lengths_are_near_and_few() -> None:
    for tokens in range(1, 20_000, 7):
        assert tokens <= round_up(tokens) <= max(64, 1.125 * tokens + 64)
    assert len({round_up(tokens) for tokens in range(2048, 4096)}) <= 10
    assert round_up(8192) == 8192
    assert [round_up(2100, fineness) for fineness in (1, 2, 4, 8)] == [4096, 3072, 2560, 2304]


def test_longer_trainings_are_worth_more_recordings() -> None:
    assert [choose_fineness(packs) for packs in (1, 24, 60, 240, 1000, 10**6)] == [1, 1, 2, 4, 8, 8]


def test_nothing_is_recorded_on_a_cpu(tmp_path: Path) -> None:
    assert not Recorder(build_tuned(Qwen2Config)).works
