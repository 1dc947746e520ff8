"""Further runs on the command line: what the flags ask for, and what the closing screen says."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.cli.conftest import Call, FakePipeline
from tests.trials import make_cure, make_trials
from tuneproof.cli.screens.trials import draw_trials
from tuneproof.messages import Language, use_language
from tuneproof.rundir import RunDir


@pytest.fixture
def tried(rows: str, call: Call, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    """A pipeline whose runs have trials."""
    work = pipeline._work

    def with_trials(*given: object) -> RunDir:
        run = work(*given)  # type: ignore[arg-type]
        run.save(make_trials())
        return run

    monkeypatch.setattr(pipeline, "_work", with_trials)
    return pipeline


def test_flags_become_config_keys(rows: str, call: Call, pipeline: FakePipeline) -> None:
    assert call("run", rows, "--model", "demo").code == 0
    assert call("run", rows, "--model", "demo", "--seeds", "3", "--learning-curve", "--probe-lr").code == 0
    assert call("demo", "--seeds", "2").code == 0
    asked = [request.config.trials for request in pipeline.requests]
    assert [(one.seeds, one.learning_curve, one.probe_rate) for one in asked] == [
        (1, False, False), (3, True, True), (2, False, False),
    ]  # fmt: skip


def test_the_number_of_seeds_has_bounds(rows: str, call: Call, pipeline: FakePipeline) -> None:
    for wrong in ("0", "11", "two"):
        assert call("run", rows, "--model", "demo", "--seeds", wrong).code == 2
    assert pipeline.requests == []


def test_the_next_round_needs_no_model_and_has_a_folder_of_its_own(
    rows: str, call: Call, pipeline: FakePipeline
) -> None:
    assert call("run", rows, "--from", "runs/first").code == 0
    (request,) = pipeline.requests
    assert (request.config.train.start_from, request.config.model.name) == ("runs/first", None)
    assert request.out == Path("runs/rows-from-first")
    assert call("run", rows).code == 2


def test_the_screen_tells_what_the_trials_show(rows: str, call: Call, tried: FakePipeline) -> None:
    out = " ".join(call("run", rows, "--model", "demo").out.split())
    for text in (
        "With another seed the verdict would be another one: DON'T SHIP with seed 18",
        "2 seeds: gain +29.0 points on average, from +27.0 to +31.0; net loss from 1.0 % to 5.5 %.",
        "The last doubling of the rows brought +7.0 points (+1.0 to +13.0).",
        "Twice the rows would likely bring +4.1 points more (0.0 to +12.0).",
        "0.000333 was taken for the training; 0.001 was planned.",
        "* 0.000333",
        "forgets too much; Repeated 4-grams",
        "training failed",
        "not the luck of a training",
    ):
        assert text in out, text
    assert out.index("SHIP") < out.index("Learning rate") < out.index("Other seeds") < out.index("How much data")


def test_an_unclear_curve_promises_nothing(rows: str, call: Call, tried: FakePipeline) -> None:
    trials = make_trials()
    assert trials.curve is not None
    trials.curve.tells = False
    assert "cannot be told" in trials.curve.told()[-1]
    trials.curve.next = None
    assert trials.curve.told() == ["Too little was measured to say what more rows would bring."]


def test_seeds_that_agree_say_so() -> None:
    seeds = make_trials().seeds
    assert seeds is not None
    assert "种子 18 为“不要上线”" in seeds.told("zh")[-1]
    seeds.runs[1].decision = None
    assert "training failed" in seeds.told("en")[-1]
    seeds.agree = True
    assert seeds.told("en")[-1] == "Every seed ends in the same verdict."


def test_json_carries_the_trials(rows: str, call: Call, tried: FakePipeline) -> None:
    told = json.loads(call("run", rows, "--model", "demo", "--json").out)
    assert told["trials"] == make_trials().model_dump(mode="json")
    assert told["decision"] == "ship"


def test_the_cure_is_asked_for_by_a_flag(rows: str, call: Call, pipeline: FakePipeline) -> None:
    assert call("run", rows, "--model", "demo", "--cure").code == 0
    assert call("demo", "--cure").code == 0
    assert call("demo").code == 0
    assert [request.config.trials.cure for request in pipeline.requests] == [True, True, False]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "en",
            (
                "The cure",
                "This is the cured adapter (more replay: 20.0 % of the tokens), found at the third look",
                "a smaller scale",
                "Checkpoint 180 at scale 0.5: select score 44.0 %, 2 lost and 1 gained of 60 general questions",
                "The second look at the test rows: DON'T SHIP, gain +31.0 points (+20.0 to +40.0), 19 lost",
                "no earlier checkpoint among the candidates",
            ),
        ),
        ("zh", ("补救", "第三次使用测试集时得到", "更小的缩放", "不要上线", "达到上线标准的可能性 62.0%")),
    ],
)
def test_the_screen_tells_the_remedies(language: Language, texts: tuple[str, ...]) -> None:
    use_language(language)
    console = Console(width=300, file=StringIO(), color_system=None)
    console.print(draw_trials(make_cure()))
    use_language("en")
    assert isinstance(console.file, StringIO)
    out = " ".join(console.file.getvalue().split())
    assert [text for text in texts if text not in out] == []


def test_a_cure_that_did_not_ship_says_why_and_that_nothing_changed() -> None:
    trials = make_cure()
    assert trials.cure is not None
    trials.cure.adopted, trials.cure.reason = None, "cure.little"
    assert trials.cure.told("en") == [
        "None ships: every remedy that forgets little enough also learns too little for its gain to be shown.",
        "The first attempt stands as it was.",
    ]
    assert "学到的也太少" in trials.cure.told("zh")[0]
    trials.cure.remedies, trials.cure.reason = [], "cure.no_gain"
    assert len(trials.cure.told("en")) == 1
    trials.cure.reason = None
    assert trials.cure.told("en") == []


def test_without_trials_nothing_is_said(rows: str, call: Call, pipeline: FakePipeline) -> None:
    assert "trials" not in json.loads(call("run", rows, "--model", "demo", "--json").out)
    assert "Other seeds" not in call("run", rows, "--model", "demo").out


def test_the_screen_in_chinese(rows: str, call: Call, tried: FakePipeline) -> None:
    out = call("run", rows, "--model", "demo", "--lang", "zh").out
    use_language("en")
    for text in ("更换随机种子", "数据量与提升", "学习率", "换一个随机种子，结论就会不同"):
        assert text in out
