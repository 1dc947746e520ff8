"""The roomy cache says what transformers' own says, whatever is appended and left out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, MistralConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from tuneproof.model.cache import ROOM, RoomyLayer, open_cache


def make_states(rows: int, tokens: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    keys, values = (torch.randn(rows, 2, tokens, width, generator=generator) for width in (8, 8))
    return keys, values


def test_it_holds_what_the_plain_layer_holds() -> None:
    plain, roomy = DynamicLayer(), RoomyLayer()
    rows = 6
    for step, tokens in enumerate([9, 5, *[1] * (ROOM + 10), 30, 1]):
        states = make_states(rows, tokens, step)
        for ours, theirs in zip(roomy.update(*states), plain.update(*states), strict=True):
            assert torch.equal(ours, theirs)
        if step % 20 == 1 and rows > 2:
            kept = torch.tensor([0, *range(2, rows)])
            rows -= 1
            for layer in (plain, roomy):
                layer.batch_select_indices(kept)
        assert roomy.get_seq_length() == plain.get_seq_length()
        assert roomy.get_mask_sizes(3) == plain.get_mask_sizes(3)
    assert rows == 2


def test_a_token_is_written_in_place() -> None:
    layer = RoomyLayer()
    layer.update(*make_states(2, 10, 0))
    places = set()
    for step in range(ROOM):
        keys, _ = layer.update(*make_states(2, 1, step))
        places.add(keys.data_ptr())
    assert len(places) == 1
    assert layer.update(*make_states(2, 1, 0))[0].data_ptr() not in places


def test_rows_are_put_where_others_were() -> None:
    """Longer and shorter ones; all end in one column, and nothing of the rows before is left."""
    layer = RoomyLayer()
    layer.update(*make_states(3, 10, 0))
    before = layer.show(10)[0].clone()
    for turn, tokens in enumerate((4, 30, 2 * ROOM)):
        states = make_states(1, tokens, 10 + turn)
        assert layer.buffers is not None
        for buffer in layer.buffers:
            buffer[1] = torch.nan
        place = layer.open_rows(torch.tensor([1]), tokens)
        place.update(*(one[:, :, :3] for one in states))
        for ours, theirs in zip(place.update(*(one[:, :, 3:] for one in states)), states, strict=True):
            assert torch.equal(ours, theirs)
        assert place.get_seq_length() == tokens
        for held, given in zip(layer.show(max(10, tokens)), states, strict=True):
            assert torch.equal(held[1, :, -tokens:], given[0])
            assert not held[1, :, :-tokens].any()
            assert not held.isnan().any()
        assert torch.equal(layer.show(max(10, tokens))[0][[0, 2], :, -10:], before[[0, 2]])
        assert layer.get_seq_length() == max(10, tokens)
    layer.forget(2 * ROOM - 10)
    assert torch.equal(layer.show(10)[0][[0, 2]], before[[0, 2]])
    new = make_states(3, 1, 99)
    assert torch.equal(layer.update(*new)[0][:, :, -1:], new[0])
    assert layer.get_seq_length() == 11


@pytest.mark.parametrize(
    ("config", "kind"),
    [(LlamaConfig(num_hidden_layers=3), RoomyLayer), (MistralConfig(sliding_window=16), DynamicSlidingWindowLayer)],
)
def test_only_plain_layers_are_replaced(config: LlamaConfig | MistralConfig, kind: type) -> None:
    assert {type(layer) for layer in open_cache(config).layers} == {kind}
