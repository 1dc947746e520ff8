"""What stages hand each other, and what lies in a run folder: one pydantic model a record, a file a stage.

The field names are public (docs/contract.md): fields are added, never renamed. `None` is "not measured", never 0.
Unknown fields are ignored on loading, so that an older tool opens a newer run.
"""

from tuneproof.records.answer import Reply
from tuneproof.records.compare import AnswerDifference, ArmDifference, Comparison, RunComparison, ScoreDifference
from tuneproof.records.data import DataReport, Finding, Message, Row, Split, SplitRow, SplitSummary, TokenSummary
from tuneproof.records.evals import Answer, Candidate, DriftRecord, Selection
from tuneproof.records.plan import Alternative, Parts, Phases, Plan, Rejected, Settings, TimePlan
from tuneproof.records.run import RunRecord, StageRecord, TrainingRecord
from tuneproof.records.verdict import Control, LostItem, Retention, TaskResult, Verdict

__all__ = [
    "Alternative",
    "Answer",
    "AnswerDifference",
    "ArmDifference",
    "Candidate",
    "Comparison",
    "Control",
    "DataReport",
    "DriftRecord",
    "Finding",
    "LostItem",
    "Message",
    "Parts",
    "Phases",
    "Plan",
    "Rejected",
    "Reply",
    "Retention",
    "Row",
    "RunComparison",
    "RunRecord",
    "ScoreDifference",
    "Selection",
    "Settings",
    "Split",
    "SplitRow",
    "SplitSummary",
    "StageRecord",
    "TaskResult",
    "TimePlan",
    "TokenSummary",
    "TrainingRecord",
    "Verdict",
]
