"""The records: their public field names, what they derive, and what they leave out when it was not measured."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel

from tuneproof.records import (
    Alternative,
    Answer,
    Blame,
    BlamedRow,
    DataReport,
    Finding,
    Message,
    Parts,
    Phases,
    Plan,
    Rejected,
    Retention,
    Row,
    RunRecord,
    Settings,
    StageRecord,
    TaskResult,
    TimePlan,
    TrainingRecord,
    Verdict,
)
from tuneproof.records.data import FindingKind, SplitSummary, TokenSummary

# The contract's field names (docs/contract.md). They are public: a name may be added here, none may leave.
PUBLIC: dict[type[BaseModel], str] = {
    DataReport: "rows usable files tokens split findings counts",
    TokenSummary: "p50 p95 max supervised_share",
    SplitSummary: "train select test minimum_detectable_effect",
    Finding: "kind severity file line related message fix",
    Row: "id file line task messages",
    Plan: """model device limit_bytes fits grade peak_bytes phases parts settings steps seconds disk_bytes
        alternatives rejected""",
    Phases: "load train evaluate",
    Parts: "weights adapter gradients optimizer activations logits temporaries cache context",
    Settings: """micro_batch accumulation max_tokens checkpointing quantization dtype packing loss_chunk optimizer
        offload strategy""",
    TrainingRecord: "rows tokens trained_tokens steps seconds peak_bytes final_loss world_size rows_per_rank",
    TaskResult: "metric n base tuned delta ci95 p_value better worse same control",
    Retention: """n base_right lost gained p_value loss_upper95 kl_retention kl_task text_loss_change by_language
        lost_items""",
    Verdict: """decision summary reasons task tasks retention degeneration overfitting minimum_detectable_effect
        rows_needed selection seed seconds""",
    Answer: "id prompt reference answer score tokens",
    RunRecord: "status fingerprint versions device seed stages training",
    StageRecord: "status seconds",
    Blame: "id suite prompt reference base tuned right against checkpoints n spread noise_spread rows",
    BlamedRow: "id file line task replay score prompt answer",
    Alternative: "change peak_bytes",
    Rejected: "settings peak_bytes why",
}


@pytest.mark.parametrize("record", PUBLIC, ids=lambda record: record.__name__)
def test_public_fields_are_there(record: type[BaseModel]) -> None:
    assert set(PUBLIC[record].split()) - set(record.model_fields) == set()


def test_the_kinds_of_findings_are_those_of_the_contract() -> None:
    kinds = """bad_json bad_encoding missing_field wrong_type empty_instruction empty_output placeholder_output
        refusal_output duplicate near_duplicate contradiction truncated_output over_length template_token leaked_turn
        mojibake control_characters script_mismatch templated_output url_reference pii wrong_arithmetic label_imbalance
        echo outlier too_few_rows"""
    assert set(kinds.split()) <= set(get_args(FindingKind))


def test_a_row_knows_its_question_and_its_answer() -> None:
    said = [("system", "be kind"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    messages = [Message.model_validate({"role": role, "content": content}) for role, content in said]
    row = Row(id="1", file="f", line=1, task="t", messages=messages)
    assert row.reference == "d"
    assert [message.content for message in row.prompt] == ["be kind", "a", "b", "c"]
    assert "c" in row.question
    assert "be kind" not in row.question


def test_the_parts_of_a_plan_add_up() -> None:
    assert Parts(weights=5, adapter=1, logits=2).total() == 8


def test_a_time_plan_counts_what_is_gone_and_what_is_to_come() -> None:
    plan = TimePlan(
        limit=420,
        spent=20,
        train_speed=1,
        generate_speed=1,
        parts={"train": 100.0, "base": 60.0},
        epochs=2,
        candidates=3,
        select_rows=50,
        test_rows=100,
        retention_items=200,
        cut=[],
    )
    assert plan.seconds() == 180


def test_what_was_not_measured_is_none() -> None:
    retention = Retention(n=0, base_right=0, lost=0, gained=0, p_value=None, loss_upper95=None)
    measures = ("net_loss", "kl_retention", "kl_task", "text_loss_change")
    assert [getattr(retention, name) for name in measures] == [None] * 4
    assert TokenSummary().model_dump() == {"p50": None, "p95": None, "max": None, "supervised_share": None}


def test_a_finding_is_told_in_both_languages() -> None:
    finding = Finding(kind="empty_output", severity="error", file="rows.jsonl", line=3, message="", fix="")
    assert finding.told("en") != finding.told("zh")
    assert all(all(finding.told(language)) for language in ("en", "zh"))
