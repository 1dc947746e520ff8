"""The screen: the only file that prints. Results go to stdout, everything else to stderr.

In: records with their pictures (`screens/` draws them), errors, progress. Out: text, or with `--json` one JSON object
on stdout. Whatever the console cannot spell is written as an escape; a reader who goes away is no error.

    screen = Screen(Manner("en", json=False, debug=False), "tuneproof check rows.jsonl")
    with screen.follow() as progress:
        report = check_data(config, progress)
    screen.show(report.model_dump(mode="json"), draw_check(report))
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from tuneproof.cli.bars import Bars, Lines
from tuneproof.cli.manner import Manner
from tuneproof.cli.words import clean_text
from tuneproof.errors import ConfigError, StoppedError, TuneproofError
from tuneproof.messages import tell
from tuneproof.progress import Progress


class Screen:
    """Where one call of the command line shows things. `command` is the line as typed."""

    def __init__(self, manner: Manner, command: str) -> None:
        self.manner = manner
        self.command = command
        self.farewell = "cli.stopped"
        """Key of what is said when a signal ends the command."""
        self._results = ResultConsole(_soften(sys.stdout))
        self._notes = NoteConsole(_soften(sys.stderr))

    def show(self, payload: Mapping[str, object], picture: RenderableType = "", lines: Sequence[str] = ()) -> None:
        """The result: `payload` with --json; else the picture, and `lines` below it, never wrapped: to be pasted."""
        if self.manner.json:
            self.write_json(payload)
            return
        if picture:
            self._results.print(picture)
        for line in lines:
            self._results.print(Text(clean_text(line)), soft_wrap=True)

    def write_json(self, payload: Mapping[str, object]) -> None:
        """One JSON object on stdout; in ASCII where stdout is not Unicode."""
        self._write(json.dumps(payload, indent=1, ensure_ascii=self._needs_ascii) + "\n")

    def write_lines(self, records: Iterable[Mapping[str, object]]) -> None:
        """One JSON object a line on stdout; in ASCII where stdout is not Unicode."""
        self._write("".join(json.dumps(record, ensure_ascii=self._needs_ascii) + "\n" for record in records))

    @property
    def _needs_ascii(self) -> bool:
        return not self._results.encoding.startswith("utf")

    def _write(self, text: str) -> None:
        self._results.file.write(text)
        self._results.file.flush()

    @property
    def width(self) -> int:
        """Columns of the result's console."""
        return self._results.width

    def note(self, text: str) -> None:
        """A line beside the results, on stderr; never wrapped."""
        self._notes.print(Text(clean_text(text)), soft_wrap=True)

    def note_picture(self, picture: RenderableType) -> None:
        """A picture beside the results, on stderr."""
        self._notes.print(picture)

    def read_line(self, prompt: str) -> str | None:
        """A line of standard input, None at its end; what does not come from a keyboard is shown after the prompt."""
        if sys.stdin.isatty():
            with suppress(ImportError):
                import readline  # noqa: F401 - arrow keys and history in `input`
            try:
                return _make_whole(input(prompt))
            except EOFError:
                return None
        line = sys.stdin.readline()
        if line and not self.manner.json:
            self._results.print(Text(clean_text(f"{prompt}{line.rstrip()}")), soft_wrap=True)
        return _make_whole(line.rstrip("\n")) if line else None

    @contextmanager
    def redraw(self) -> Iterator[Callable[[RenderableType], None]]:
        """A picture that grows: drawn anew on a terminal, else once, as it was given last. Not at all with --json."""
        last: list[RenderableType] = []

        def keep(picture: RenderableType) -> None:
            last[:] = [picture]
            if live is not None:
                live.update(picture)

        drawn = self._results.is_terminal and not self.manner.json
        live = Live(console=self._results, transient=True, refresh_per_second=8) if drawn else None
        with live or nullcontext():
            yield keep
        if last and not self.manner.json:
            self._results.print(last[0])

    @contextmanager
    def follow(self) -> Iterator[Progress]:
        """A listener for the stages: bars on a terminal, else plain lines; on stderr."""
        listener = Bars(self._notes) if self._notes.is_interactive else Lines(self._notes)
        try:
            yield listener
        finally:
            listener.close()

    def show_error(self, error: TuneproofError) -> None:
        """A user error: where, what, and what to do; every fault of a config. With --debug its traceback first."""
        if self.manner.debug:
            self.show_trace(error)
        faults = error.faults if isinstance(error, ConfigError) else [error]
        for fault in faults:
            place = f"{clean_text(fault.where)}: " if fault.where else ""
            title = "" if isinstance(fault, StoppedError) else tell("cli.error")
            line = Text.assemble((title, "bold red"), place, clean_text(fault.message()))
            self._notes.print(line, soft_wrap=True)
            self._notes.print(Text(f"  {clean_text(fault.hint())}"), soft_wrap=True)
        if self.manner.json:
            told = [{"where": one.where, "message": one.message(), "hint": one.hint()} for one in faults]
            self.write_json({"error": {"exit_code": error.exit_code, "kind": type(error).__name__, "faults": told}})

    def show_bug(self, error: Exception) -> None:
        """What is no user error: the traceback, and how to report it."""
        self.show_trace(error)
        self._notes.print(Text(tell("cli.bug")), soft_wrap=True)
        if self.manner.json:
            self.write_json({"error": {"exit_code": 1, "kind": type(error).__name__, "faults": []}})

    def show_stop(self) -> None:
        """Ctrl-C outside of training."""
        self._notes.print(Text(tell(self.farewell)), soft_wrap=True)

    def show_trace(self, error: Exception) -> None:
        """The traceback, as Python writes it."""
        self._notes.print(Text(clean_text("".join(traceback.format_exception(error)))), soft_wrap=True)


class ResultConsole(Console):
    """Text as it is: no markup, no emoji codes, no colouring of numbers. Raises BrokenPipeError to its caller."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(file=stream, markup=False, emoji=False, highlight=False)

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which means a bug here."""
        raise BrokenPipeError


class NoteConsole(ResultConsole):
    """Falls silent when its reader goes away: hours of training do not end because a log was closed."""

    def on_broken_pipe(self) -> None:
        """Throw away what comes, and what Python would try to write once more at its exit."""
        self.quiet = True
        discard(self.file)


def discard(stream: object) -> None:
    """Send all that is still written to `stream` nowhere."""
    try:
        descriptor = stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _make_whole(line: str) -> str:
    """The line without half characters, which bytes of another encoding become."""
    return line.encode("utf-8", errors="replace").decode("utf-8")


def _soften(stream: TextIO) -> TextIO:
    """The stream, so that a character that its encoding lacks (cp936, ASCII) is written as an escape."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream
