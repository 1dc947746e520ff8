"""What takes the place of transformers' layers: norms and rotary embeddings in fewer passes over memory.

fuse_layers(model)        # of any device, or of `meta` for the memory plan
"""

from __future__ import annotations

from torch import nn

from tuneproof.model.norms import fuse_norms
from tuneproof.model.rotary import fuse_rotary


def fuse_layers(model: nn.Module) -> None:
    """Put them in place, where a layer computes what they do; once done, done."""
    fuse_norms(model)
    fuse_rotary(model)
