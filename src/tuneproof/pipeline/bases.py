"""What `tuneproof models` tells: the first choices, and what a LoRA step on each takes, by the plan's closed formula.

The step is the smallest that is of use: one row of 512 tokens, rank 16 on every linear layer, activations recomputed.
`tuneproof plan` reckons with the rows as they are, and traces the step itself.

    list_bases(6_000_000_000).bases[2].fit       # "full"
"""

from __future__ import annotations

from tuneproof.bases import BASES
from tuneproof.bases import BaseModel as Listed
from tuneproof.demo.model import HUB_ID
from tuneproof.model.hardware import DtypeName, inspect_hardware
from tuneproof.plan.catalogue import find_known, measure_known
from tuneproof.plan.forecast import CUBLAS, CUDA_CONTEXT, CUDA_MARGIN, FORMULA_MARGIN
from tuneproof.plan.formula import Dimensions, Load, Precision, count_linear, count_other, estimate_step
from tuneproof.plan.heap import PROCESS
from tuneproof.records.bases import BaseChoices, BaseFit

TOKENS, TRAINED, CHUNK, RANK = 512, 256, 256, 16
SHARE = 0.9
"""Of what is free, as a plan takes it."""


def list_bases(limit: int | None) -> BaseChoices:
    """Every first choice against `limit` bytes, or against what this device has free.

    With a limit on a machine without a GPU the list is for a CUDA card of that size, as with `plan --memory`.
    """
    hardware = inspect_hardware()
    device, dtype = hardware.device, hardware.dtype
    if limit is not None and device == "cpu":
        device, dtype = "cuda", "bfloat16"
    room = limit if limit is not None else int(SHARE * hardware.memory_free)
    bases = [weigh_base(base, room, device, dtype) for base in BASES]
    return BaseChoices(device=device, dtype=dtype, limit_bytes=room, tokens=TOKENS, rank=RANK, bases=bases)


def weigh_base(base: Listed, limit: int, device: str, dtype: DtypeName) -> BaseFit:
    """One base model against the limit."""
    full = estimate_peak(base, dtype, "none", device)
    nf4 = estimate_peak(base, dtype, "nf4", device) if device == "cuda" else None
    fit = "full" if full <= limit else "nf4" if nf4 is not None and nf4 <= limit else "no"
    return BaseFit(
        name=base.name,
        parameters=count_parameters(base),
        languages=list(base.languages),
        licence=base.licence,
        gated=base.gated,
        full_bytes=full,
        nf4_bytes=nf4,
        fit=fit,  # type: ignore[arg-type]
        reason=base.reason,
    )


def estimate_peak(base: Listed, dtype: DtypeName, quantization: str, device: str) -> int:
    """Bytes of the step at its peak, with the margin that the plan allows the formula."""
    load = Load(rows=1, tokens=TOKENS, trained=TRAINED, chunk=CHUNK, checkpointing=True)
    parts = estimate_step(measure_base(base), Precision(dtype, RANK, quantization), load)
    own = CUDA_CONTEXT + CUBLAS + CUDA_MARGIN if device == "cuda" else PROCESS
    return int(FORMULA_MARGIN * parts.total()) + own


def count_parameters(base: Listed) -> int:
    """Parameters by the model's dimensions."""
    sizes = measure_base(base)
    return count_linear(sizes) + count_other(sizes)


def measure_base(base: Listed) -> Dimensions:
    """Its dimensions, from the table of models; a first choice that is not in it is a bug."""
    known = find_known(HUB_ID if base.name == "demo" else base.name)
    assert known is not None, base.name
    return measure_known(known)
