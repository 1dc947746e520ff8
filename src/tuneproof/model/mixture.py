"""Several adapters on one base at once: each row of a batch has an adapter of its own, at a scale of its own.

A linear layer gives y = W x + sum_k s_k (alpha_k / r_k) B_k A_k x. The adapters' A and B of a layer are laid side by
side as one pair of matrices, and a row's scales are a vector over their columns: two small products a layer, whatever
the rows ask for. A row of the base has zeros there, and y + 0 is y, bit for bit; where no row has an adapter, nothing
but W x is computed.

In: adapter folders as a run writes them (PEFT's layout, plain LoRA). Out: a `Mixture`, told before each forward.

    mixture = mount_adapters(base.model, [read_adapter(run.adapter)])
    mixture.use([{}, {0: 1.0}, {0: 0.5}])      # three rows: base, tuned, half tuned
    logits = base.model(input_ids=ids_BT).logits
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tuneproof.errors import RunError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
OTHER_KINDS = ("use_dora", "use_qalora", "lora_bias", "modules_to_save", "rank_pattern", "alpha_pattern")
"""Keys of PEFT's config that make an adapter another sum than the one above."""
Scales = Mapping[int, float]
"""Adapter, by its number -> its scale, for one row; an adapter that is not named is off."""


class Part(NamedTuple):
    """What an adapter adds to one layer."""

    down_RI: Tensor
    up_OR: Tensor
    strength: float
    """alpha / r."""


Adapter = Mapping[str, Part]
"""Layer, by its path in the model -> what is added to it."""


def read_adapter(folder: Path) -> Adapter:
    """The adapter of `folder`, from safetensors only. Raises RunError when it is damaged or no plain LoRA adapter."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        weights = load_file(folder / WEIGHTS)
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _fault(folder, str(error) or type(error).__name__) from error
    other = [key for key in OTHER_KINDS if config.get(key)]
    odd = [name for name in weights if not name.endswith((DOWN, UP))]
    if other or odd or not weights:
        raise _fault(folder, f"no plain LoRA adapter: {', '.join(other or odd[:3]) or 'empty'}")
    strength = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    parts = {}
    for name in sorted(name for name in weights if name.endswith(DOWN)):
        path = name.removesuffix(DOWN)
        up = weights.get(path + UP)
        if up is None or up.shape[1] != weights[name].shape[0]:
            raise _fault(folder, f"{path} has no two matrices that fit")
        parts[path.removeprefix(PREFIX)] = Part(weights[name], up, strength)
    return parts


class Mixture:
    """What the rows of the next forward are answered by."""

    def __init__(self, adapters: int, device: torch.device, dtype: torch.dtype) -> None:
        self.adapters = adapters
        self.device = device
        self.dtype = dtype
        self._scale_BK: Tensor | None = None
        self._weights: dict[tuple[tuple[int, int, float], ...], Tensor] = {}

    def use(self, rows: Sequence[Scales], *, forced: bool = False) -> None:
        """Answer each row by its own scales. A scale of 0 is the base.

        `forced`: take the adapters' path though all scales are 0, to show that it adds nothing.
        """
        self._weights.clear()
        if not forced and not any(scale for row in rows for scale in row.values()):
            self._scale_BK = None
            return
        table = [[row.get(adapter, 0.0) for adapter in range(self.adapters)] for row in rows]
        self._scale_BK = torch.tensor(table, dtype=torch.float32, device=self.device)

    def weigh(self, layout: tuple[tuple[int, int, float], ...]) -> Tensor | None:
        """Factor of each column of a layer with these (adapter, rank, strength) side by side: shape (B, 1, R).

        None where no row has an adapter. Layers with the same adapters share it.
        """
        if self._scale_BK is None:
            return None
        if layout not in self._weights:
            columns = torch.tensor([k for k, rank, _ in layout for _ in range(rank)], device=self.device)
            strength_R = torch.tensor([s for _, rank, s in layout for _ in range(rank)], device=self.device)
            self._weights[layout] = (self._scale_BK[:, columns] * strength_R)[:, None].to(self.dtype)
        return self._weights[layout]


class MixedLinear(nn.Module):
    """A linear layer, and beside it what the adapters add for each row."""

    def __init__(self, plain: nn.Module, parts: Mapping[int, Part], mixture: Mixture) -> None:
        super().__init__()
        self.plain = plain
        self.mixture = mixture
        self.layout = tuple((k, part.down_RI.shape[0], part.strength) for k, part in parts.items())
        # In the type of what comes in, as `model/lora` trained and measured it.
        down_RI = torch.cat([part.down_RI for part in parts.values()]).to(mixture.device, mixture.dtype)
        up_OR = torch.cat([part.up_OR for part in parts.values()], 1).to(mixture.device, mixture.dtype)
        self.down_IR = nn.Buffer(down_RI.t().contiguous(), persistent=False)
        self.up_RO = nn.Buffer(up_OR.t().contiguous(), persistent=False)

    def forward(self, input_BTI: Tensor) -> Tensor:
        """Shape (B, T, O)."""
        plain_BTO: Tensor = self.plain(input_BTI)
        weight_B1R = self.mixture.weigh(self.layout)
        if weight_B1R is None:
            return plain_BTO
        inner_BTR = (input_BTI @ self.down_IR) * weight_B1R
        added = torch.addmm(plain_BTO.flatten(0, -2), inner_BTR.flatten(0, -2), self.up_RO)
        return added.view_as(plain_BTO)


def mount_adapters(model: nn.Module, adapters: Sequence[Adapter], names: Sequence[str]) -> Mixture:
    """Put the adapters on the model: its layers are replaced, its weights are not touched.

    `names` are told when one does not fit: RunError.
    """
    # Weights in 4 bits say nothing of the type that is computed in; the embeddings do.
    embeddings: Any = model.get_input_embeddings()  # type: ignore[operator]
    mixture = Mixture(len(adapters), embeddings.weight.device, embeddings.weight.dtype)
    modules = dict(model.named_modules())
    for path in sorted({path for adapter in adapters for path in adapter}):
        parts = {k: adapter[path] for k, adapter in enumerate(adapters) if path in adapter}
        plain = modules.get(path)
        for k, part in parts.items():
            if plain is None or not _fits(plain, part):
                raise _fault(Path(names[k]), f"{path} is not a layer of this base, or has another size")
        assert plain is not None
        parent, _, name = path.rpartition(".")
        setattr(modules[parent], name, MixedLinear(plain, parts, mixture))
    return mixture


def _fits(plain: Any, part: Part) -> bool:
    """Whether a layer takes what the part takes and gives what it gives; one that does not say is believed."""
    sizes = (getattr(plain, "in_features", None), getattr(plain, "out_features", None))
    return sizes in ((None, None), (part.down_RI.shape[1], part.up_OR.shape[0]))


def _fault(folder: Path, why: str) -> RunError:
    return RunError("serve.bad_adapter", where=str(folder), why=why.splitlines()[0][:200])
