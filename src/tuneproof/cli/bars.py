"""How far the stages are: bars on a terminal, plain lines in a log. Both are `tuneproof.progress.Progress`.

In: what stages tell. Out: text on the console given. A stage inside another (loading the model inside measuring the
base) gets a bar of its own while it lasts. Bars are drawn in ASCII where the console has no Unicode.

    with closing(Bars(console)) as progress:
        run_all(request, progress)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Display
from rich.table import Column
from rich.text import Text

from tuneproof.cli.figures import format_count, format_seconds
from tuneproof.cli.screens.mask import draw_mask
from tuneproof.cli.words import clean_text, name_of
from tuneproof.figures import tell_said
from tuneproof.messages import tell

PAUSE = 5.0
"""Seconds between two lines of a stage in a log."""


class Bars:
    """Bars for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._display: Display | None = None
        self._open: list[tuple[str, TaskID]] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        """A bar for the stage; one that pulses where the work ahead is not known."""
        if self._display is None:
            self._display = make_display(self._console)
            self._display.start()
        task = self._display.add_task(name_of("stage", stage), total=total, facts="")
        self._open.append((stage, task))

    def advance(self, done: int, **facts: float) -> None:
        """Move the innermost bar."""
        if self._display is not None and self._open:
            self._display.update(self._open[-1][1], completed=done, facts=tell_facts(facts))

    def end(self, stage: str) -> None:
        """Fill the stage's bar; the outermost stays on the screen, one inside it goes."""
        while self._display is not None and self._open:
            name, task = self._open.pop()
            if self._open:
                self._display.remove_task(task)
            else:
                self._fill(self._display, task)
                self.close()
            if name == stage:
                break

    def say(self, key: str, **values: object) -> None:
        """A sentence above the bar."""
        self._console.print(Text(clean_text(tell_said(key, values))))

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """The loss-mask proof above the bar."""
        self._console.print(draw_mask(pieces, trained, total))

    def close(self) -> None:
        """Leave the terminal as it was, whatever happened."""
        if self._display is not None:
            self._display.stop()
        self._display = None
        self._open.clear()

    @staticmethod
    def _fill(display: Display, task: TaskID) -> None:
        state = next(one for one in display.tasks if one.id == task)
        total = state.total if state.total else max(state.completed, 1)
        display.update(task, total=total, completed=total, facts="")


@dataclass
class Opened:
    """A stage that is being told in lines."""

    stage: str
    total: int | None
    started: float
    told: float


class Lines:
    """Lines for a log: one when a stage starts, one when it ends, and at most one every few seconds between."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._open: list[Opened] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        """The stage's name."""
        now = self._clock()
        self._open.append(Opened(stage, total, now, now))
        self._write(f"{name_of('stage', stage)} ...")

    def advance(self, done: int, **facts: float) -> None:
        """Count, speed, facts and time left of the innermost stage, when the last line is some seconds old."""
        if not self._open:
            return
        stage, now = self._open[-1], self._clock()
        if now - stage.told < PAUSE:
            return
        stage.told = now
        speed = done / (now - stage.started)
        parts = [format_count(done) if stage.total is None else f"{done:,}/{stage.total:,}", f"{speed:.3g}/s"]
        parts += [tell_facts(facts)] if facts else []
        if stage.total is not None and done:
            left = format_seconds(max(stage.total - done, 0) / speed)
            parts.append(tell("cli.progress.left", time=left))
        self._write(f"  {name_of('stage', stage.stage)}: {', '.join(parts)}")

    def end(self, stage: str) -> None:
        """How long it took."""
        while self._open:
            closed = self._open.pop()
            if closed.stage == stage:
                took = format_seconds(self._clock() - closed.started)
                self._write(tell("cli.progress.done", stage=name_of("stage", stage), time=took))
                break

    def say(self, key: str, **values: object) -> None:
        """A sentence."""
        self._write(clean_text(tell_said(key, values)))

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """The loss-mask proof."""
        self._console.print(draw_mask(pieces, trained, total))

    def close(self) -> None:
        """Nothing is left to do."""

    def _write(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class CountColumn(ProgressColumn):
    """`12/120`; nothing where the total is not known."""

    def render(self, task: Task) -> Text:
        """Done and total."""
        if task.total is None or task.finished:
            return Text("")
        return Text(f"{int(task.completed):,}/{int(task.total):,}")


class RateColumn(ProgressColumn):
    """`1,200/s`: units of work in a second; nothing before it is known."""

    def render(self, task: Task) -> Text:
        """The rate over the last seconds."""
        return Text("" if task.finished or not task.speed else f"{float(f'{task.speed:.3g}'):,g}/s")


def make_display(console: Console) -> Display:
    """Rich's live display: name, bar, count, rate, time, facts. Four frames a second: drawing costs training time."""
    return Display(
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, min_width=24)),
        BarColumn(bar_width=20),
        CountColumn(),
        RateColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[facts]}", markup=False, table_column=Column(no_wrap=True)),
        console=console,
        refresh_per_second=4,
    )


def tell_facts(facts: dict[str, float]) -> str:
    """`loss 1.234`, several separated by commas."""
    return ", ".join(f"{name_of('cli.fact', name)} {value:.4g}" for name, value in facts.items())
