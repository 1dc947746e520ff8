"""The view of a run folder: what is there is gathered, what is missing is None or empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.errors import RunError
from tuneproof.records import Finding, Plan, RunRecord, TimePlan, Verdict
from tuneproof.report.page import (
    FINDINGS_SHOWN,
    find_peak,
    gather_page,
    group_findings,
    line_up_phases,
    line_up_stages,
    read_losses,
    suggest_commands,
)
from tuneproof.rundir import RunDir


def make_finding(kind: str, severity: str, line: int = 1) -> Finding:
    return Finding.model_validate(
        {"kind": kind, "severity": severity, "file": "a.jsonl", "line": line, "message": "recorded", "fix": "mend it"}
    )


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json"):
        gather_page(RunDir(tmp_path), "en")


def test_a_damaged_record_is_named(complete: RunDir) -> None:
    (complete.path / "verdict.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"verdict\.json"):
        gather_page(complete, "en")


def test_a_run_that_has_just_begun_is_empty(begun: RunDir) -> None:
    page = gather_page(begun, "en")
    records = [page.verdict, page.data, page.plan, page.selection, page.split, page.config, page.measured_peak]
    assert records == [None] * 7
    assert not any([page.items, page.tasks, page.gained, page.findings, page.losses, page.stages])


def test_a_step_that_was_taken_twice_counts_as_it_ended(begun: RunDir) -> None:
    for step, loss in ((1, 2.0), (2, 1.5), (3, 9.0), (2, 1.4), (3, 1.1)):
        begun.log_event("step", step=step, loss=loss)
    begun.log_event("step", step=4, loss=float("nan"))
    begun.log_event("step", step=5, loss=None)
    begun.log_event("stage_end", stage="train", loss=7.0)
    assert read_losses(begun) == [(1, 2.0), (2, 1.4), (3, 1.1)]


def test_what_was_gained_is_listed(complete: RunDir) -> None:
    gained = gather_page(complete, "en").gained
    assert [base.id for base, _ in gained] == ["probe-150", "probe-151"]
    assert all(not base.right and tuned.right for base, tuned in gained)


def test_gained_items_are_those_that_the_verdict_counts(complete: RunDir) -> None:
    verdict = complete.load(Verdict)
    out = {gather_page(complete, "en").gained[0][0].family: {"n": 1, "base_right": 0, "lost": 0, "gained": 1}}
    verdict.retention.left_out = out
    complete.save(verdict)
    assert not [base for base, _ in gather_page(complete, "en").gained if base.family in out]


def test_errors_come_before_warnings_and_many_before_few() -> None:
    findings = [
        make_finding("duplicate", "warning"),
        *(make_finding("echo", "info", line) for line in range(1, 10)),
        *(make_finding("pii", "warning", line) for line in range(1, 4)),
        make_finding("empty_output", "error"),
    ]
    groups = group_findings(findings, "en")
    assert [(group.kind, group.total) for group in groups] == [
        ("empty_output", 1),
        ("pii", 3),
        ("duplicate", 1),
        ("echo", 9),
    ]


def test_findings_beyond_the_limit_are_counted_and_not_shown() -> None:
    (group,) = group_findings([make_finding("pii", "warning", line) for line in range(1, 500)], "en")
    assert group.total == 499
    assert len(group.shown) == FINDINGS_SHOWN


def test_a_finding_without_its_values_is_told_as_recorded() -> None:
    (group,) = group_findings(
        [make_finding("over_length", "warning").model_copy(update={"kind": "from_the_future"})], "zh"
    )
    assert group.shown[0].message == "recorded"
    assert group.shown[0].fix == "mend it"


def test_stages_keep_their_order_and_both_times(complete: RunDir) -> None:
    record, plan = complete.load(RunRecord), complete.load(Plan)
    record.stages.pop("tuned")
    assert line_up_stages(record, plan) == [("base", 70, 81.2), ("train", 190, 203.9), ("tuned", 66, None)]
    assert line_up_stages(record, None) == [("base", None, 81.2), ("train", None, 203.9)]
    idle = record.stages["base"].model_copy(update={"seconds": 0.01})
    assert plan.time is not None
    plan.time.parts["load"] = 0.0
    record.stages |= {"judge": idle, "base": idle}
    assert line_up_stages(record, plan) == [("base", 70, 0.01), ("train", 190, 203.9), ("tuned", 66, None)]


def test_the_measured_peak_is_the_plans_own_where_it_has_one(complete: RunDir) -> None:
    record, plan = complete.load(RunRecord), complete.load(Plan)
    assert find_peak(record, plan) == plan.measured_peak_bytes
    assert find_peak(record, None) is None


def test_the_next_command_depends_on_how_far_the_run_got(complete: RunDir, tmp_path: Path) -> None:
    record = complete.load(RunRecord)
    typed = [line for line in suggest_commands(complete, record, "en") if not line.startswith("#")]
    assert typed == [
        f"tuneproof chat '{complete.path}'",
        f"tuneproof report '{complete.path}' --lang zh",
    ]
    (complete.path / "verdict.json").unlink()
    assert suggest_commands(complete, record, "en") == [f"tuneproof eval '{complete.path}'"]
    record.status = "stopped"
    assert suggest_commands(complete, record, "en") == [record.command]


def test_peaks_of_the_phases_stand_beside_the_plan(complete: RunDir) -> None:
    phases = {phase.name: phase for phase in line_up_phases(complete.load(Plan))}
    assert list(phases) == ["load", "rehearsal", "first_step", "train", "evaluate"]
    train = phases["train"]
    assert train.planned is not None
    assert train.real is not None
    assert train.error == pytest.approx(train.planned / train.real - 1)
    assert phases["first_step"].planned == phases["rehearsal"].planned == train.planned
    assert (phases["evaluate"].real, phases["evaluate"].error) == (None, None)
    assert line_up_phases(None) == []


def test_planned_time_is_held_against_the_stages_that_ran() -> None:
    plan = TimePlan(
        limit=None, spent=3, train_speed=1, generate_speed=1, parts={"load": 0, "base": 50, "train": 100},
        epochs=1, candidates=1, select_rows=1, test_rows=1, retention_items=1, cut=[],
    )  # fmt: skip
    assert plan.miss({"base": 40, "train": 80, "report": 9}) == pytest.approx(150 / 120 - 1)
    assert plan.miss({"base": 40}) is None
