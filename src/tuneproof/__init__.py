"""Fine-tune a small chat model on your own rows, and prove or refute that it helped.

What scripts may rely on: the config, the run folder and its records. Importing this loads no torch.

    from pathlib import Path
    from tuneproof import RunDir, Verdict

    verdict = RunDir(Path("runs/first")).load(Verdict)
    print(verdict.decision, verdict.task.delta, verdict.task.ci95)
"""

from __future__ import annotations

from tuneproof.config import RunConfig
from tuneproof.config.load import load_config
from tuneproof.errors import TuneproofError
from tuneproof.records import (
    Answer,
    DataReport,
    DriftRecord,
    Finding,
    HarnessRecord,
    JudgeRecord,
    Marks,
    Plan,
    Row,
    RunRecord,
    Selection,
    Split,
    Standing,
    Trials,
    Verdict,
)
from tuneproof.rundir import RunDir

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "DataReport",
    "DriftRecord",
    "Finding",
    "HarnessRecord",
    "JudgeRecord",
    "Marks",
    "Plan",
    "Row",
    "RunConfig",
    "RunDir",
    "RunRecord",
    "Selection",
    "Split",
    "Standing",
    "Trials",
    "TuneproofError",
    "Verdict",
    "__version__",
    "load_config",
]
