"""A frozen base split over the ranks (FSDP2, PyTorch's `fully_shard`): each keeps a part of every layer's weights.

A layer's weights are gathered as it is computed, forward and backward, and let go of after it; the next layer's are on
their way meanwhile. Embeddings, head and adapter are whole on every rank, since what is trained is summed by
`model/crew`. A layer comes only when all ranks ask for it: they have to compute equally often. Every pack moves all
weights over the wire twice, for what is recomputed as well: a layer is there before its backward begins.

    base = load_base(name, device="cpu", dtype="bfloat16")      # on every rank
    model = add_adapter(base.model, ...)
    split_layers(model, "cuda")                                 # for good: a whole one is loaded anew
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.distributed as group
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from tuneproof.model.offload import find_layers
from tuneproof.model.step import get_base

GATHERED = 3
"""Layers whose weights are whole at a time: the one that is computed, and the next one twice, as it came over the wire
and as it is cut into weights (`foreach_all_gather_copy_out`)."""


def split_layers(model: nn.Module, device: str) -> None:
    """Keep this rank's part of the decoder's layers on `device`, and all else of the model whole. All ranks call it."""
    mesh = init_device_mesh(device, (group.get_world_size(),))
    trained = {weight for weight in model.parameters() if weight.requires_grad}
    for layer in find_layers(model):
        # One after the other: whole on the device is one layer at a time.
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=trained)
    # The decoder leads its layers, which else could not be gathered ahead; it has nothing of its own to split.
    fully_shard(get_base(model).get_decoder(), mesh=mesh, ignored_params=set(model.parameters()))
    model.to(device)


def list_shared(model: nn.Module) -> list[list[Tensor]]:
    """The weights that would be split, layer by layer."""
    return [[weight for weight in layer.parameters() if not weight.requires_grad] for layer in find_layers(model)]


def count_part(weight: Tensor, ranks: int) -> int:
    """Bytes that the first of so many ranks keeps of a weight: whole rows of it, as many as any."""
    rows = -(-weight.shape[0] // ranks)
    return rows * (weight.numel() // weight.shape[0]) * weight.element_size()


def count_gathered(layers: Sequence[Sequence[Tensor]]) -> int:
    """Bytes of whole layers at a time."""
    sizes = [sum(weight.numel() * weight.element_size() for weight in layer) for layer in layers]
    return sum(sorted(sizes)[-GATHERED:])
