"""What stages hand each other, and what lies in a run folder: one pydantic model a record, a file a stage.

The field names are public (docs/contract.md): fields are added, never renamed. `None` is "not measured", never 0.
Unknown fields are ignored on loading, so that an older tool opens a newer run.
"""

from tuneproof.records.answer import Reply
from tuneproof.records.beside import BenchmarkScore, HarnessRecord, JudgeRecord, Vote
from tuneproof.records.blame import Blame, BlamedRow
from tuneproof.records.compare import AnswerDifference, ArmDifference, Comparison, RunComparison, ScoreDifference
from tuneproof.records.cure import Cure, Remedy
from tuneproof.records.data import (
    CleanSummary,
    DataReport,
    FileWeight,
    Finding,
    Likeness,
    Message,
    Row,
    Split,
    SplitRow,
    SplitSummary,
    TokenSummary,
)
from tuneproof.records.evals import Answer, Candidate, DriftRecord, Selection
from tuneproof.records.export import AnswerPair, Check, Export, Parity, Proof
from tuneproof.records.marks import Mark, Marks
from tuneproof.records.plan import (
    Alternative,
    Card,
    Measured,
    MoreMemory,
    Parts,
    Phases,
    Plan,
    Recovery,
    Rejected,
    Settings,
    SmallerModel,
    TimePlan,
)
from tuneproof.records.run import RunRecord, StageRecord, Standing, TrainingRecord
from tuneproof.records.search import Search, SearchTrial
from tuneproof.records.trials import (
    CurveSpot,
    LearningCurve,
    RateProbe,
    RateTried,
    SeedRun,
    SeedSpread,
    Spread,
    TrialRecord,
    Trials,
)
from tuneproof.records.verdict import (
    Control,
    CopiedAnswer,
    LostItem,
    Opening,
    Retention,
    Rewording,
    TaskResult,
    Verdict,
)

__all__ = [
    "Alternative",
    "Answer",
    "AnswerDifference",
    "AnswerPair",
    "ArmDifference",
    "BenchmarkScore",
    "Blame",
    "BlamedRow",
    "Candidate",
    "Card",
    "Check",
    "CleanSummary",
    "Comparison",
    "Control",
    "CopiedAnswer",
    "Cure",
    "CurveSpot",
    "DataReport",
    "DriftRecord",
    "Export",
    "FileWeight",
    "Finding",
    "HarnessRecord",
    "JudgeRecord",
    "LearningCurve",
    "Likeness",
    "LostItem",
    "Mark",
    "Marks",
    "Measured",
    "Message",
    "MoreMemory",
    "Opening",
    "Parity",
    "Parts",
    "Phases",
    "Plan",
    "Proof",
    "RateProbe",
    "RateTried",
    "Recovery",
    "Rejected",
    "Remedy",
    "Reply",
    "Retention",
    "Rewording",
    "Row",
    "RunComparison",
    "RunRecord",
    "ScoreDifference",
    "Search",
    "SearchTrial",
    "SeedRun",
    "SeedSpread",
    "Selection",
    "Settings",
    "SmallerModel",
    "Split",
    "SplitRow",
    "SplitSummary",
    "Spread",
    "StageRecord",
    "Standing",
    "TaskResult",
    "TimePlan",
    "TokenSummary",
    "TrainingRecord",
    "TrialRecord",
    "Trials",
    "Verdict",
    "Vote",
]
