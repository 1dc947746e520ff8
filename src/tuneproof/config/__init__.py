"""Every knob once, a file a section: type, bounds, default, its reason, help.

A plain run needs no config file. `None` in a knob means "decided when the run is planned"; the run folder's config.yaml
has every value resolved.

    config, sources = load_config("run.yaml", ["lora.rank=8"])
"""

from __future__ import annotations

from tuneproof.config.data import DataSection
from tuneproof.config.evaluate import EvaluateSection
from tuneproof.config.knob import Section
from tuneproof.config.lora import LoraSection
from tuneproof.config.memory import MemorySection
from tuneproof.config.model import ModelSection
from tuneproof.config.replay import ReplaySection
from tuneproof.config.report import ReportSection
from tuneproof.config.split import SplitSection
from tuneproof.config.train import TrainSection
from tuneproof.config.trials import TrialsSection


class RunConfig(Section):
    """The whole config of a run."""

    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    split: SplitSection = SplitSection()
    lora: LoraSection = LoraSection()
    train: TrainSection = TrainSection()
    replay: ReplaySection = ReplaySection()
    evaluate: EvaluateSection = EvaluateSection()
    trials: TrialsSection = TrialsSection()
    memory: MemorySection = MemorySection()
    report: ReportSection = ReportSection()


__all__ = [
    "DataSection",
    "EvaluateSection",
    "LoraSection",
    "MemorySection",
    "ModelSection",
    "ReplaySection",
    "ReportSection",
    "RunConfig",
    "SplitSection",
    "TrainSection",
    "TrialsSection",
]
