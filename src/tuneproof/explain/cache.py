"""Sketches of the training rows, kept in the run folder: making them takes as long as an epoch of training.

    eval/blame/rows-checkpoint-N.npz
      ids        the rows, in their order
      sketches   a row each, fp16, length 1
      inputs     hash of all that they depend on

In: a path, the hash. Out: what was kept, or None when nothing fits: a damaged file, or one of another adapter, is made
again and never an error.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuneproof.explain.gradient import BUCKETS
from tuneproof.rundir import write_atomic

Sketches = NDArray[np.float16]
"""Shape (rows, BUCKETS)."""


def load_sketches(path: Path, ids: Sequence[str], inputs: str) -> Sketches | None:
    """The sketches of these rows, or None when the file is missing, damaged, or made from something else."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if str(kept["inputs"]) != inputs or kept["ids"].tolist() != list(ids):
                return None
            sketches: Sketches = kept["sketches"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return sketches if sketches.shape == (len(ids), BUCKETS) and sketches.dtype == np.float16 else None


def save_sketches(path: Path, ids: Sequence[str], inputs: str, sketches: Sketches) -> None:
    """Keep the sketches, whole or not at all."""
    packed = io.BytesIO()
    np.savez(packed, ids=np.array(ids, dtype=np.str_), inputs=np.array(inputs), sketches=sketches)
    write_atomic(path, packed.getvalue())
