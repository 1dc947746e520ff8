"""One row's gradient over the adapter's parameters, as a sketch of 8,192 numbers that keeps inner products.

The gradient is that of `model.step.sum_loss`, the step that was trained. The sketch is feature hashing (Weinberger et
al. 2009, arXiv 0902.2206): each coordinate is added to one of the buckets with a random sign, both fixed by a seed, so
the inner product of two sketches is that of the vectors on average, off by about 1 / sqrt(buckets) of their lengths
(0.011 here), at the cost of one pass over the parameters.

In: a loaded model with its adapter, a checkpoint, encoded rows. Out: sketches of length 1.

    sketcher = Sketcher(model, reading)
    with sketcher.at_checkpoint(run.checkpoints / "checkpoint-60"):
        sketch_M = sketcher.sketch_row(encoded)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tuneproof.model.chat import Encoded
from tuneproof.model.drift import Reading
from tuneproof.model.load import set_adapter
from tuneproof.model.step import build_pack, sum_loss

BUCKETS = 8192
"""Numbers a sketch has; LESS keeps as many dimensions (arXiv 2402.04333)."""
SEED = 17
WEIGHTS = "adapter_model.safetensors"
OPTIMIZER = "optimizer.pt"


def hash_coordinates(count: int) -> Tensor:
    """Slot of each coordinate, shape (count,): its bucket with a plus, or `BUCKETS` above it with a minus."""
    generator = torch.Generator().manual_seed(SEED)
    return torch.randint(2 * BUCKETS, (count,), generator=generator, dtype=torch.int32)


def sketch_vector(vector_P: Tensor, slots_P: Tensor) -> Tensor:
    """The count sketch of a vector: shape (BUCKETS,)."""
    sums = vector_P.new_zeros(2 * BUCKETS).index_add_(0, slots_P, vector_P)
    return sums[:BUCKETS] - sums[BUCKETS:]


def scale_to_one(sketch_M: Tensor) -> Tensor:
    """The sketch at length 1; one of nothing but zeros stays."""
    norm = sketch_M.norm()
    return sketch_M / norm if norm > 0 else sketch_M


def read_scales(checkpoint: Path) -> Tensor:
    """What Adam multiplies each coordinate of a gradient with: 1 / (sqrt(second moment) + epsilon), shape (P,), fp32.

    In the order of the model's trained parameters, which is the optimizer's.
    """
    # Tensors and plain numbers only: nothing in the file can run.
    kept = torch.load(checkpoint / OPTIMIZER, map_location="cpu", weights_only=True)
    (group,) = kept["param_groups"]
    decay, epsilon = group["betas"][1], group["eps"]
    scales = []
    for number in group["params"]:
        state = kept["state"][number]
        moment = state["exp_avg_sq"].float() / (1 - decay ** float(state["step"]))
        scales.append((moment.sqrt() + epsilon).reciprocal().flatten())
    return torch.cat(scales)


class Sketcher:
    """Sketches of the gradients of one model's adapter, at one checkpoint after the other.

    With `adam` a training row's gradient is divided by the root of Adam's second moment, coordinate by coordinate: the
    step that was taken, and not only its slope (LESS). The answer to be explained keeps its plain gradient.
    """

    def __init__(self, model: Any, reading: Reading, *, identity: str = "", adam: bool = True) -> None:
        self.model = model
        self.reading = reading
        self.adam = adam
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.device = self.parameters[0].device
        slots_P = hash_coordinates(sum(parameter.numel() for parameter in self.parameters))
        # Another version of torch could draw other slots, and its sketches would not fit the ones kept.
        self.identity = f"{identity} adam={adam} slots={hashlib.sha256(slots_P.numpy().tobytes()).hexdigest()}"
        self.slots_P = slots_P.to(self.device)
        self.scales_P: Tensor | None = None

    @contextmanager
    def at_checkpoint(self, checkpoint: Path) -> Iterator[None]:
        """With the adapter of `checkpoint` at full strength, in training mode but every dropout off.

        Training mode, since only there activations are recomputed where the plan says so.
        """
        set_adapter(self.model, checkpoint, 1.0)
        self.scales_P = read_scales(checkpoint).to(self.device) if self.adam else None
        training = self.model.training
        self.model.train()
        for module in self.model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        try:
            yield
        finally:
            self.model.train(training)

    def sketch_row(self, row: Encoded) -> Tensor:
        """What a step on this training row does: shape (BUCKETS,), fp32, length 1."""
        gradient_P = self.find_gradient(row)
        if self.scales_P is not None:
            gradient_P *= self.scales_P
        return scale_to_one(sketch_vector(gradient_P, self.slots_P))

    def sketch_answer(self, said: Encoded, against: Encoded | None) -> Tensor:
        """Where the loss of `said` rises and that of `against` falls: shape (BUCKETS,), fp32, length 1."""
        sketch_M = sketch_vector(self.find_gradient(said), self.slots_P)
        if against is not None:
            sketch_M = sketch_M - sketch_vector(self.find_gradient(against), self.slots_P)
        return scale_to_one(sketch_M)

    def find_gradient(self, row: Encoded) -> Tensor:
        """Gradient of the row's summed loss over the adapter, one after the other: shape (P,), fp32."""
        pack = build_pack([row], self.device)
        loss = sum_loss(self.model, pack, chunk=self.reading.chunk, plain_head=self.reading.plain_head)
        found = torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)
        return torch.cat([gradient.flatten().float() for gradient in found])

    def name_inputs(self, checkpoint: Path, rows: Sequence[Encoded]) -> str:
        """Hash of all that the sketches of `rows` at `checkpoint` depend on."""
        digest = hashlib.sha256(self.identity.encode())
        for name in (WEIGHTS, OPTIMIZER) if self.adam else (WEIGHTS,):
            digest.update((checkpoint / name).read_bytes())
        for row in rows:
            digest.update(f"{row.ids} {row.mask}".encode())
        return digest.hexdigest()
