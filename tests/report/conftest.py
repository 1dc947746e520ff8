"""A small but complete run folder, written through RunDir and the records, with hostile text wherever text can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.records import (
    Alternative,
    Answer,
    BenchmarkScore,
    Candidate,
    Control,
    CopiedAnswer,
    DataReport,
    DriftRecord,
    FileWeight,
    Finding,
    HarnessRecord,
    JudgeRecord,
    LostItem,
    Measured,
    Opening,
    Parts,
    Phases,
    Plan,
    Recovery,
    Rejected,
    Retention,
    Rewording,
    RunRecord,
    Selection,
    Settings,
    Split,
    SplitSummary,
    StageRecord,
    TaskResult,
    TimePlan,
    TokenSummary,
    Verdict,
)
from tuneproof.rundir import RunDir

HOSTILE = [
    "<script>document.title = 'owned'</script>",
    "</textarea></style></script><h1 data-owned=1>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "<svg/onload=document.title='owned'><a href=javascript:alert(1)>x</a>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "pay \u202eyadnoM no\u202c now\u200b\x07",
    "{{ 7 * 7 }}{% raw %}",
]
GIB = 2**30
MESSAGE = (
    "Hello, my order TN-48213 arrived yesterday with a cracked lid. I need a replacement before Friday because the "
    "jars are a present for my mother. Can you send it by express, and do I have to return the broken one first?"
)


@pytest.fixture
def hostile() -> list[str]:
    """Texts that would break out of a page that does not escape them."""
    return HOSTILE


def make_answer(number: int, arm: str, task: str) -> Answer:
    """One answer of the test suite: the base is mostly wrong, the tuned model mostly right, hostile now and then."""
    hostile = HOSTILE[number % len(HOSTILE)] if number % 9 == 0 else ""
    reference = {
        "extract_ticket": f'{{"category": "damage", "priority": "high", "order": "TN-{48213 + number}"}}{hostile}',
        "invoice": f"Total: {number * 3}.50 EUR",
        "policy": "您可以在收货后 14 天内免费退货，退款会在三个工作日内原路退回。",
        "reply": f"Dear customer, we are sorry about the cracked lid.\nA new one leaves today by express. {hostile}",
    }[task]
    right = (number % 5 == 0) if arm == "base" else (number % 7 != 3)
    wrong = {
        "base": "I can help you with that! " + reference[:30],
        "tuned": reference.replace("1", "7").replace("天", "日"),
    }[arm]
    prompt = {"policy": f"第 {number} 问：收到的罐子盖子裂了，可以退货吗？多久能退款？"}.get(
        task, f"[{number}] {hostile}{MESSAGE}"
    )
    return Answer(
        id=f"row-{number}",
        task=task,
        scorer="exact",
        prompt=prompt,
        reference=reference,
        answer=reference if right else wrong,
        score=1.0 if right else 0.25 if arm == "tuned" else 0.0,
        right=right,
        tokens=len(reference) // 4,
        finish="end" if right or arm == "tuned" else "length",
    )


TASKS = ("extract_ticket", "invoice", "policy", "reply")


@pytest.fixture
def answers() -> dict[str, list[Answer]]:
    """Answers of both arms to 40 test items of four tasks."""
    return {arm: [make_answer(n, arm, TASKS[n % 4]) for n in range(40)] for arm in ("base", "tuned")}


def make_probes(arm: str) -> list[Answer]:
    """Two hundred retention answers: the base has 150 right; the tuned model loses six of them and gains two others."""
    gone, new = set(range(6)), {150, 151}
    right = set(range(150)) if arm == "base" else set(range(150)) - gone | new
    return [
        Answer(
            id=f"probe-{n}",
            task="capitals",
            scorer="exact",
            prompt=f"Question {n}: what is the capital of France? {HOSTILE[n % len(HOSTILE)]}",
            reference="Paris",
            answer="Paris" if n in right else f"Lyon {HOSTILE[2]}",
            score=float(n in right),
            right=n in right,
            tokens=3,
            finish="end",
        )
        for n in range(200)
    ]


def make_verdict() -> Verdict:
    """A verdict with every field filled that the page shows."""
    control = Control(
        kind="few_shot", score=0.312, delta=0.388, ci95=(0.291, 0.481),
        examples=5, prompt_tokens=431.2, plain_tokens=52.8,
    )  # fmt: skip
    tasks = [
        TaskResult(
            task=name, metric="exact", n=10, base=0.1, tuned=0.1 + delta, delta=delta, ci95=ci95, p_value=0.004,
            better=8, worse=1, same=1, control=control,
        )
        for name, delta, ci95 in (
            ("extract_ticket", 0.712, (0.52, 0.86)),
            ("invoice", 0.104, (-0.081, 0.29)),
            ("policy", 0.633, (0.41, 0.82)),
            (HOSTILE[2], -0.155, (-0.29, -0.021)),
        )
    ]  # fmt: skip
    lost = [
        LostItem(
            id=f"probe-{n}", family="capitals", prompt=f"Question {n}: what is the capital of France? {HOSTILE[n]}",
            reference="Paris", base="Paris", tuned=f"Lyon {HOSTILE[2]}",
        )
        for n in range(6)
    ]  # fmt: skip
    measures: dict[str, float | None] = {"seq_rep_4": 0.0123, "no_end_rate": 0.041, "empty_rate": 0.0}
    return Verdict(
        decision="dont_ship",
        summary={
            "en": f"The tuned model gains 32.4 points on your task, but loses four answers. {HOSTILE[0]}",
            "zh": f"微调后的模型在你的任务上提升 32.4 个百分点，但净损失四个回答。{HOSTILE[0]}",
        },
        reasons=["gain_real", "beats_control", "loss_small", "degenerate", "test_small"],
        task=TaskResult(
            metric="macro", n=40, base=0.201, tuned=0.525, delta=0.324, ci95=(0.241, 0.405), p_value=0.00001,
            better=27, worse=5, same=8, control=control,
        ),
        tasks=tasks,
        retention=Retention(
            n=200, base_right=150, lost=6, gained=2, p_value=0.289, loss_upper95=0.0487, net_loss=0.02,
            by_family={
                "capitals": {"n": 120, "base_right": 90, "lost": 6, "gained": 2},
                HOSTILE[1]: {"n": 80, "base_right": 60, "lost": 0, "gained": 0},
            },
            lost_items=lost,
        ),
        degeneration={
            "base": measures,
            "tuned": {**measures, "seq_rep_4": 0.3071},
            "reference": {**measures, "no_end_rate": None},
        },
        degeneration_failed=["seq_rep_4"],
        overfitting={
            "train_rows": 30, "held_out_rows": 40, "train_score": 0.914, "held_out_score": 0.525, "gap": 0.389,
            "gap_low": 0.251, "gap_high": 0.517, "copied": 0.075, "reference_known": 0.021,
        },
        copied_answers=[
            CopiedAnswer(
                id="row-3", prompt=HOSTILE[0], reference=HOSTILE[1], tuned=HOSTILE[2], training=HOSTILE[3],
                where=f"rows{HOSTILE[2]}.jsonl:12",
            )
        ],
        opening=Opening(text=HOSTILE[3], count=17, n=40, references=2, example=f"{HOSTILE[3]} and so on"),
        rewording=Rewording(
            n=30, plain=0.525, reworded=0.346, delta=-0.179, ci95=(-0.263, -0.084), worse=9, example=HOSTILE[0],
            example_plain=HOSTILE[1], example_reworded=HOSTILE[2],
        ),
        minimum_detectable_effect=0.117,
        rows_needed=325,
        thresholds={"net_loss": 0.03, "significance": 0.05},
        seed=42,
    )  # fmt: skip


def make_plan() -> Plan:
    """A plan with a time limit, something cut and something turned down."""
    settings = Settings(
        micro_batch=4, accumulation=2, max_tokens=512, checkpointing=False, quantization="none", dtype="float32",
        packing=True, loss_chunk=256,
    )  # fmt: skip
    return Plan(
        model="HuggingFaceTB/SmolLM2-135M-Instruct",
        device="2 CPU cores, 7.5 GiB",
        limit_bytes=4 * GIB,
        fits=True,
        grade="fits",
        peak_bytes=sum((538, 20, 20, 40, 1100, 190, 60)) * 2**20,
        phases=Phases(load=GIB, train=2 * GIB),
        parts=Parts(
            weights=538 * 2**20, adapter=20 * 2**20, gradients=20 * 2**20, optimizer=40 * 2**20,
            activations=1100 * 2**20, logits=190 * 2**20, temporaries=60 * 2**20,
        ),
        settings=settings,
        steps=60,
        seconds=210.0,
        disk_bytes=900 * 2**20,
        alternatives=[Alternative(change="activation checkpointing on", peak_bytes=GIB)],
        rejected=[
            Rejected(settings=settings.model_copy(update={"micro_batch": 16}), peak_bytes=6 * GIB, why=HOSTILE[3]),
        ],
        time=TimePlan(
            limit=420, spent=12, train_speed=310, generate_speed=95, parts={"base": 70, "train": 190, "tuned": 66},
            epochs=1, candidates=3, select_rows=20, test_rows=100, retention_items=200, cut=["test rows 135 -> 100"],
        ),
        measured=Measured(load=GIB // 2, rehearsal=1850 * 2**20, first_step=1800 * 2**20, train=1900 * 2**20),
        recoveries=[Recovery(where="train", step=3, lever="train.micro_batch", before=16, after=8)],
        measured_peak_bytes=1900 * 2**20,
    )  # fmt: skip


def make_data() -> DataReport:
    """Nine hundred rows with findings of two kinds; the file name and the recorded message are hostile."""
    twin = Finding(
        kind="duplicate", severity="warning", file=f"rows{HOSTILE[2]}.jsonl", line=1, related=[7], message=HOSTILE[0],
        fix=HOSTILE[1],
    )  # fmt: skip
    empty = Finding(kind="empty_output", severity="error", file="客服.jsonl", line=3, message="空回答", fix="补上")
    findings = [*(twin.model_copy(update={"line": line}) for line in range(1, 121)), empty]
    return DataReport(
        rows=900,
        usable=871,
        files=["客服.jsonl", f"rows{HOSTILE[2]}.jsonl"],
        tokens=TokenSummary(p50=86, p95=214, max=377, supervised_share=0.312),
        findings=findings,
        counts={"duplicate": 120, "empty_output": 1},
        tasks={"extract_ticket": 300, HOSTILE[0]: 571},
        languages={"en": 700, "zh": 171},
        lengths=[11, 310, 550],
        length_edges=[0, 25, 50, 100],
        weights=[FileWeight(file=f"rows{HOSTILE[2]}.jsonl", weight=0.5, rows=321, used=161, seen=159)],
        split=SplitSummary(train=700, select=71, test=100, minimum_detectable_effect=0.153),
    )


def write_begun(folder: Path) -> RunDir:
    """A run that has just begun: run.json and nothing else."""
    run = RunDir(folder)
    run.save(
        RunRecord(
            status="running", command=f"tuneproof run {HOSTILE[2]}.jsonl --model demo", fingerprint={"data": "9f2c"},
            versions={"torch": "2.13.0"}, device="cpu", seed=42, created=1795000000.0,
        )
    )  # fmt: skip
    return run


@pytest.fixture
def begun(tmp_path: Path) -> RunDir:
    """A run that has just begun."""
    return write_begun(tmp_path / "first run")


@pytest.fixture
def complete(begun: RunDir) -> RunDir:
    """A run with every record."""
    return write_complete(begun)


def write_complete(run: RunDir) -> RunDir:
    """Every record of a run, into the folder of one that has begun."""
    record = run.load(RunRecord)
    record.status = "done"
    for name, seconds in {"base": 81.2, "train": 203.9, "tuned": 60.4}.items():
        record.stages[name] = StageRecord(status="done", seconds=seconds)
    run.save(record)
    run.config.write_text(f"model:\n  name: demo\ntrain:\n  seed: 42\n  # {HOSTILE[1]}\n", encoding="utf-8")
    for step in range(1, 61):
        run.log_event("step", step=step, loss=0.4 + 2.1 / step)
    run.save(make_data())
    run.save(make_split())
    run.save(make_plan())
    run.save(make_selection())
    run.save(
        DriftRecord(
            kl_retention=0.21, kl_task=0.8, text_loss_base=3.1, text_loss_change=0.4, risk=0.37, items={"text": 40}
        )
    )
    run.save(make_verdict())
    run.save(
        JudgeRecord(
            model=HOSTILE[0],
            host="judge.example",
            n=40,
            wins=21,
            losses=6,
            ties=12,
            inconsistent=5,
            unclear=1,
            net=0.375,
            ci95=(0.141, 0.562),
            p_value=0.0059,
            error=HOSTILE[2],
        )
    )
    run.save(
        HarnessRecord(
            tasks=["arc_easy"],
            version="0.4.13",
            scores=[
                BenchmarkScore(
                    task=HOSTILE[2], metric="acc", n=2376, base=0.4731, base_error=0.0102, tuned=0.4518,
                    tuned_error=0.01,
                )
            ],
            error=HOSTILE[1],
        )
    )  # fmt: skip
    for arm in ("base", "tuned"):
        run.save_answers(arm, "test", [make_answer(n, arm, TASKS[n % 4]) for n in range(40)])
        run.save_answers(arm, "retention", make_probes(arm))
    return run


def make_split() -> Split:
    """Sizes and strata only; the page shows no single row of the split."""
    return Split(
        seed=42,
        rows={},
        sizes={"train": 700, "select": 71, "test": 100},
        clusters=812,
        largest_stratum_gap=0.0213,
        length_distance=0.0651,
        moved={"0f3a5c7d9e1b": ["train", "test"]},
        strata={"invoice · short": {"train": 120, "test": 18}, HOSTILE[5]: {"train": 90, "select": 9, "test": 11}},
    )


def make_selection() -> Selection:
    """Three checkpoints and one more scale."""
    scored = [(20, 1.0, 0.521, 0.04), (40, 1.0, 0.688, 0.021), (60, 1.0, 0.706, None), (60, 0.75, 0.694, 0.012)]
    return Selection(
        checkpoint=60,
        scale=0.75,
        reason="select.within_error",
        candidates=[
            Candidate(
                checkpoint=step,
                scale=scale,
                n=71,
                score=score,
                standard_error=error,
                train_loss=0.4,
                degeneration=failed,
                probes=60 if step == 60 else 0,
                retention=0.9 if step == 60 else None,
                lost=4 if step == 60 else None,
                gained=1 if step == 60 else None,
            )
            for (step, scale, score, error), failed in zip(scored, ([], [], ["seq_rep_4"], []), strict=True)
        ],
    )
