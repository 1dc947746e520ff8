"""Records of the data stage: rows, findings, the split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from tuneproof.messages import Language, load_catalogue, tell

Side = Literal["train", "select", "test"]
Severity = Literal["error", "warning", "info"]
FindingKind = Literal[
    "bad_json",
    "bad_encoding",
    "missing_field",
    "wrong_type",
    "empty_instruction",
    "empty_output",
    "placeholder_output",
    "refusal_output",
    "duplicate",
    "near_duplicate",
    "contradiction",
    "truncated_output",
    "over_length",
    "template_token",
    "leaked_turn",
    "mojibake",
    "control_characters",
    "script_mismatch",
    "templated_output",
    "url_reference",
    "pii",
    "wrong_arithmetic",
    "label_imbalance",
    "echo",
    "outlier",
    "too_few_rows",
]


class Message(BaseModel):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Row(BaseModel):
    """One row as used: a conversation that ends with the assistant's answer."""

    id: str
    """Hash of the file's name, the text and how often that text came before: stable when rows are appended."""
    file: str
    line: int
    """1-based line in the user's file; in a JSON array or a table the record's number."""
    task: str
    messages: list[Message]
    required: list[str] = []
    """Strings that a right answer must contain (column `required`); empty for most data."""
    copies: int = 1
    """How often a pass of training sees the row (`data.weights`)."""

    @property
    def prompt(self) -> list[Message]:
        """All turns before the last answer."""
        return self.messages[:-1]

    @property
    def reference(self) -> str:
        """The last answer."""
        return self.messages[-1].content

    @property
    def question(self) -> str:
        """All turns before the last answer but the system prompt, as one text."""
        return "\n".join(message.content for message in self.prompt if message.role != "system")


class Finding(BaseModel):
    """One defect of the data, with its place and what to do."""

    kind: FindingKind
    severity: Severity
    file: str
    line: int
    column: int | None = None
    """1-based, of the line; None where a record is no line of its own, or the whole of it is meant."""
    related: list[int] = []
    message: str
    fix: str
    values: dict[str, str | int | float] = {}
    """What fills the sentences of the catalogue; `values["variant"]` picks one where a kind has several."""

    def told(self, language: Language | None = None) -> tuple[str, str]:
        """The message and the fix in `language`: `finding.KIND[.VARIANT]` and its `.fix`, else the kind's `.fix`."""
        variant = self.values.get("variant")
        key = f"finding.{self.kind}.{variant}" if variant else f"finding.{self.kind}"
        fix = f"{key}.fix" if f"{key}.fix" in load_catalogue() else f"finding.{self.kind}.fix"
        message = tell(key, language, **self.values)
        if "in_line" in self.values:
            message = tell("data.in_line", language, line=self.values["in_line"], message=message)
        return message, tell(fix, language, **self.values)

    @property
    def place(self) -> str:
        """`file:line`, with `:column` where it is known."""
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column is not None else "")


class TokenSummary(BaseModel):
    """Tokens a row, by the model's own tokenizer (None where no model was named)."""

    p50: int | None = None
    p95: int | None = None
    max: int | None = None
    supervised_share: float | None = None


class Likeness(BaseModel):
    """How well a side stands for the training side."""

    largest_gap: float
    """Largest difference, over strata, of a stratum's share in the side and in train (0 to 1)."""
    stratum: str
    """The stratum of that gap."""
    length_distance: float
    """Kolmogorov-Smirnov distance of the row lengths, 0 to 1."""
    auc: float | None = None
    """Area under the curve of a classifier that tells the two apart by simple features; None for too few rows."""
    chance: tuple[float, float]
    """Where the area of two samples of one source lies 95 times in 100."""


class SplitSummary(BaseModel):
    """Sizes of the split, and the smallest gain the test split can show."""

    train: int
    select: int
    test: int
    minimum_detectable_effect: float | None = None
    """Difference of two paired rates (0 to 1) found with 80 % power at 5 %; None without a test split."""
    likeness: dict[Side, Likeness] = {}
    """Of select and test, each against train."""


class CleanSummary(BaseModel):
    """What `check --write-clean` wrote. Counts are records."""

    files: list[str]
    log: str
    written: int
    repaired: int
    left_out: int
    left_in: int
    """Records that stay although something about them was found: what to do with them is the user's to decide."""


class FileWeight(BaseModel):
    """A file with a weight of its own (`data.weights`), and how that works out."""

    file: str
    weight: float
    rows: int
    """Usable rows of the file."""
    used: int
    """Rows that are used, on any side."""
    seen: int
    """Rows that a pass over the training side sees, a row counting as often as it is shown."""


class DataReport(BaseModel):
    """What `check` found. `data/report.json`."""

    rows: int
    usable: int
    files: list[str]
    left_out: list[str] = []
    """What lies in a folder or data set that was named, and is not read."""
    weights: list[FileWeight] = []
    shadowed: int = 0
    """Rows of files that are for training only, left out because they are nearly rows of test or select."""
    tokens: TokenSummary = TokenSummary()
    split: SplitSummary | None = None
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    tasks: dict[str, int] = {}
    languages: dict[str, int] = {}
    lengths: list[int] = []
    """Histogram of characters a row: counts in `length_edges`' bins."""
    length_edges: list[int] = []
    clean: CleanSummary | None = None
    """None unless a clean file was asked for."""


@dataclass(frozen=True, slots=True)
class SplitRow:
    """Where one row went, and why it may not go elsewhere. No model: there are as many as rows, a tenth as large."""

    cluster: str
    stratum: str
    side: Side


class Split(BaseModel):
    """Row -> cluster, stratum, side. `data/split.json`."""

    seed: int
    rows: dict[str, SplitRow]
    sizes: dict[Side, int]
    clusters: int
    largest_stratum_gap: float | None = Field(default=None)
    """Largest difference, over strata, of a stratum's share in test and in train (0 to 1)."""
    length_distance: float | None = None
    """Kolmogorov-Smirnov distance of the row lengths in test and in train."""
    strata: dict[str, dict[Side, int]] = {}
    likeness: dict[Side, Likeness] = {}
    """Of select and test, each against train."""
    moved: dict[str, list[Side]] = {}
    """Rows that were on another side in the run that is gone on from: row -> [side there, side here]."""
