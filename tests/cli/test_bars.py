"""Progress: lines in a log, bars on a terminal; stages inside stages."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from tuneproof.cli.bars import PAUSE, Bars, Lines, RateColumn
from tuneproof.cli.show import NoteConsole
from tuneproof.messages import use_language


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def read(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def log() -> Console:
    return NoteConsole(io.StringIO())


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, legacy_windows=False, _environ={"TERM": "xterm"})


def test_a_log_gets_a_line_at_the_start_at_the_end_and_every_few_seconds(log: Console) -> None:
    clock = Clock()
    lines = Lines(log, clock)
    lines.begin("train", 100)
    for step in range(1, 101):
        clock.now += 0.25
        lines.advance(step, loss=2 / step)
    lines.end("train")
    told = read(log).splitlines()
    assert told[0] == "Training ..."
    assert told[-1] == "Training: done in 25 s"
    assert len(told) - 2 == 25 / PAUSE
    assert told[1] == "  Training: 20/100, 4/s, loss 0.1, 20 s left"


def test_a_stage_without_a_total_counts(log: Console) -> None:
    clock = Clock()
    lines = Lines(log, clock)
    lines.begin("check")
    clock.now = 10.0
    lines.advance(2000)
    assert read(log).splitlines()[-1] == "  Checking the data: 2,000, 200/s"


def test_a_stage_inside_a_stage_is_told_and_left(log: Console) -> None:
    clock = Clock()
    lines = Lines(log, clock)
    lines.begin("base", 10)
    lines.begin("load")
    clock.now = 2.0
    lines.end("load")
    clock.now = 10.0
    lines.advance(5)
    lines.end("base")
    assert read(log).splitlines()[2:] == [
        "Loading the model: done in 2.0 s",
        "  Measuring the base: 5/10, 0.5/s, 10 s left",
        "Measuring the base: done in 10 s",
    ]


def test_advancing_or_ending_nothing_is_no_error(log: Console, terminal: Console) -> None:
    for listener in (Lines(log), Bars(terminal)):
        listener.advance(1)
        listener.end("train")
        listener.close()
    assert read(log) == ""


def test_a_terminal_gets_a_bar_that_is_full_at_the_end(terminal: Console) -> None:
    bars = Bars(terminal)
    bars.begin("train", 10)
    bars.advance(4, loss=1.5)
    bars.say("train.skipped", why="torn")
    bars.end("train")
    shown = read(terminal)
    assert "Training" in shown
    assert "torn" in shown
    assert "━" * 20 in shown


def test_the_inner_bar_goes_and_the_outer_stays(terminal: Console) -> None:
    bars = Bars(terminal)
    bars.begin("base", 4)
    bars.begin("load")
    bars.end("load")
    bars.advance(4)
    bars.end("base")
    last = read(terminal).rsplit("\x1b[2K", 1)[-1]
    assert "Measuring the base" in last
    assert "Loading the model" not in last


def test_a_terminal_is_left_as_it_was(terminal: Console) -> None:
    bars = Bars(terminal)
    bars.begin("train", 10)
    assert "\x1b[?25l" in read(terminal)
    bars.close()
    assert read(terminal).endswith("\x1b[?25h")


def test_a_terminal_without_unicode_gets_ascii_bars() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp936")
    console = Console(file=stream, force_terminal=True, width=100, legacy_windows=False, _environ={"TERM": "xterm"})
    use_language("zh")
    bars = Bars(console)
    bars.begin("train", 10)
    bars.advance(10)
    bars.end("train")
    shown = raw.getvalue().decode("cp936")
    assert "训练" in shown
    assert "-" * 20 in shown


def test_the_mask_is_read_without_colour(log: Console) -> None:
    Lines(log).show_mask([("<|user|>2+2?", False), ("<|assistant|>", False), ("4", True), ("<|end|>", True)], 40, 100)
    shown = read(log)
    assert "<|user|>2+2?<|assistant|>[[4<|end|>]]" in shown
    assert "40 of 100 (40.0 %)" in shown


def test_a_long_row_is_cut_in_the_middle(log: Console) -> None:
    Lines(log).show_mask([("q" * 5000, False), ("a" * 5000, True)], 1, 2)
    shown = read(log)
    assert len(shown) < 1200
    assert shown.count("[...]") == 2


def test_a_bar_tells_how_much_is_done_in_a_second() -> None:
    clock = Clock()
    display = Progress(RateColumn(), get_time=clock)
    task = display.add_task("rows", total=10_000)
    assert RateColumn().render(display.tasks[0]).plain == ""
    for clock.now, done in ((1.0, 1000), (3.0, 3400)):
        display.update(task, completed=done)
    assert RateColumn().render(display.tasks[0]).plain == "1,200/s"
    display.update(task, completed=10_000)
    assert RateColumn().render(display.tasks[0]).plain == ""
