"""What takes the place of transformers' layers on CUDA: norms in one kernel, rotary embeddings in three.

fuse_layers(model)        # a model on CUDA, or on `meta` for the memory plan
"""

from __future__ import annotations

from torch import nn

from tuneproof.model.norms import fuse_norms
from tuneproof.model.rotary import fuse_rotary


def fuse_layers(model: nn.Module) -> None:
    """Put them in place, where a layer computes what they do; once done, done."""
    fuse_norms(model)
    fuse_rotary(model)
