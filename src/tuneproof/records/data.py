"""Records of the data stage: rows, findings, the split."""

from __future__ import annotations

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
        return tell(key, language, **self.values), tell(fix, language, **self.values)


class TokenSummary(BaseModel):
    """Tokens a row, by the model's own tokenizer (None where no model was named)."""

    p50: int | None = None
    p95: int | None = None
    max: int | None = None
    supervised_share: float | None = None


class SplitSummary(BaseModel):
    """Sizes of the split, and the smallest gain the test split can show."""

    train: int
    select: int
    test: int
    minimum_detectable_effect: float | None = None
    """Difference of two paired rates (0 to 1) found with 80 % power at 5 %; None without a test split."""


class DataReport(BaseModel):
    """What `check` found. `data/report.json`."""

    rows: int
    usable: int
    files: list[str]
    tokens: TokenSummary = TokenSummary()
    split: SplitSummary | None = None
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    tasks: dict[str, int] = {}
    languages: dict[str, int] = {}
    lengths: list[int] = []
    """Histogram of characters a row: counts in `length_edges`' bins."""
    length_edges: list[int] = []


class SplitRow(BaseModel):
    """Where one row went, and why it may not go elsewhere."""

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
