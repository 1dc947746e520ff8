"""The command line: `tuneproof COMMAND`, one file a command. It parses, calls one verb of the pipeline, and shows.

    cli/
    |- demo run search check plan train resume eval compare answer chat serve blame export report ui models doctor
    |  completion config                  the commands
    |- options.py amounts.py settings.py    what they accept, and the config that it makes
    |- app.py manner.py usage.py            typer, the language, usage errors in our style
    |- show.py bars.py words.py figures.py  the only file that prints; progress; words and numbers
    |- launch.py                         a command as several processes
    `- screens/                             records drawn

Exit codes: 0 done, 1 a bug, 2 to 7 a user error by its class, 10 and 11 a verdict with --gate, 128 + signal stopped.

    run_command(["check", "rows.jsonl", "--lang", "zh"])    # 0
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, NoReturn

from tuneproof.errors import Terminated, name_signal

if TYPE_CHECKING:
    from tuneproof.cli.app import Command
    from tuneproof.cli.show import Screen

READER_GONE = 141
"""128 + SIGPIPE, which Windows has no number for."""


def main() -> NoReturn:
    """The entry point of `tuneproof` and `python -m tuneproof`."""
    signal.signal(signal.SIGTERM, raise_terminated)
    several = "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1
    sys.exit(run_among_ranks(sys.argv[1:]) if several else run_command(sys.argv[1:]))


def raise_terminated(number: int, frame: object) -> NoReturn:
    """What SIGTERM does, but while training, which saves first (training/guards.py)."""
    raise Terminated


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line. Returns its exit code; errors are told, not raised."""
    from tuneproof.cli.manner import read_manner
    from tuneproof.cli.show import Screen, discard
    from tuneproof.messages import use_language

    manner = read_manner(arguments)
    use_language(manner.language)
    screen = Screen(manner, shlex.join(["tuneproof", *arguments]))
    try:
        # What libraries print must not end up in the JSON.
        with redirect_stdout(sys.stderr) if manner.json else nullcontext():
            return _perform(arguments, screen)
    except BrokenPipeError:
        discard(sys.stdout)
        return READER_GONE
    except KeyboardInterrupt as stop:
        screen.show_stop()
        return 128 + name_signal(stop)


def run_among_ranks(arguments: Sequence[str]) -> int:
    """`run_command` as one of the processes that torchrun has started. Returns this one's exit code."""
    from tuneproof.cli.app import trust_as_asked
    from tuneproof.cli.launch import run_as_rank
    from tuneproof.cli.manner import read_manner
    from tuneproof.cli.show import Screen
    from tuneproof.errors import TuneproofError
    from tuneproof.messages import use_language

    manner = read_manner(arguments)
    use_language(manner.language)
    try:
        with trust_as_asked(arguments):
            return run_as_rank(lambda: run_command(arguments))
    except TuneproofError as error:
        # Of a process that follows: the first one shows its own.
        Screen(manner, "tuneproof").show_error(error)
        return error.exit_code
    except KeyboardInterrupt as stop:
        return 128 + name_signal(stop)


def _perform(arguments: Sequence[str], screen: Screen) -> int:
    """Parse, perform; tell every error but a reader's going away and Ctrl-C."""
    import typer

    from tuneproof.cli.app import build_command
    from tuneproof.cli.completion import COMPLETE_VAR, complete_line
    from tuneproof.cli.usage import UsageFault, explain_usage
    from tuneproof.errors import TuneproofError

    try:
        command = build_command(_list_commands(), screen)
        if instruction := os.environ.get(COMPLETE_VAR):
            return complete_line(command, instruction)
        with command.make_context("tuneproof", list(arguments or ["--help"])) as context:
            return int(command.invoke(context))
    except typer.Exit as done:
        return done.exit_code
    except UsageFault as fault:
        error: TuneproofError = explain_usage(fault, arguments)
    except TuneproofError as fault:
        error = fault
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as bug:
        screen.show_bug(bug)
        return 1
    screen.show_error(error)
    return error.exit_code


def _list_commands() -> list[Command]:
    """Every command, in the order of the help."""
    from tuneproof.cli import (
        answer,
        blame,
        chat,
        check,
        compare,
        completion,
        config,
        demo,
        doctor,
        eval,
        export,
        models,
        plan,
        report,
        resume,
        run,
        search,
        serve,
        train,
        ui,
    )

    modules = (
        demo,
        run,
        search,
        check,
        plan,
        train,
        resume,
        eval,
        compare,
        answer,
        chat,
        serve,
        blame,
        export,
        report,
        ui,
        models,
        doctor,
        completion,
    )
    return [*(module.COMMAND for module in modules), config.SCHEMA, config.SHOW]
