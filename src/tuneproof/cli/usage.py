"""What typer found wrong with a command line, as our own error: same style, same language, the nearest name.

In: typer's exception and the arguments. Out: a UsageError.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import typer

from tuneproof.cli.manner import LANGUAGES
from tuneproof.config.load import find_key
from tuneproof.errors import UsageError

# The base class of all of typer's usage errors has no public name; this one does, and lies right above it.
UsageFault: type[Exception] = typer.BadParameter.__bases__[0]

NEAR = 0.65
"""How alike a name has to be to be what was meant: below it, `--epochs` was `--test`."""


def explain_usage(fault: Any, arguments: Sequence[str]) -> UsageError:
    """Our error for one of typer's: an unknown option or command, a missing or a wrong value, anything else."""
    context = fault.ctx
    path = context.command_path if context else "tuneproof"
    kind = type(fault).__name__
    if kind == "NoSuchOption":
        if key := find_key(fault.option_name.lstrip("-").replace("-", "_")):
            return UsageError("cli.key_option", where=path, path=path, name=fault.option_name, key=key)
        declared = [name for parameter in context.command.params for name in parameter.opts] if context else []
        return _name_nearest("option", path, fault.option_name, [name for name in declared if name.startswith("-")])
    if kind == "MissingParameter":
        return UsageError("cli.missing", where=path, path=path, name=_name(fault))
    if kind == "BadOptionUsage":
        return UsageError("cli.no_value", where=path, path=path, name=fault.option_name)
    if kind == "BadParameter":
        why = fault.message.removeprefix("Value error, ")
        return UsageError("cli.bad_value", where=_name(fault), path=path, why=why)
    commands = getattr(context.command, "commands", None) if context else None
    named = [word for word in arguments if not word.startswith("-") and word not in (*path.split(), *LANGUAGES)]
    if commands and not named:
        return UsageError("cli.missing", where=path, path=path, name="COMMAND")
    if commands and named[0] not in commands:
        return _name_nearest("command", path, named[0], list(commands))
    return UsageError("cli.usage", where=path, path=path, why=fault.format_message())


def _name_nearest(kind: str, path: str, name: str, known: list[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, 1, NEAR)
    if not near:
        return UsageError(f"cli.no_{kind}", where=path, path=path, name=name)
    return UsageError(f"cli.near_{kind}", where=path, path=path, name=name, nearest=near[0])


def _name(fault: Any) -> str:
    """The parameter as the user types it."""
    parameter = fault.param
    if parameter is None:
        return str(fault.param_hint or "")
    options = [name for name in parameter.opts if name.startswith("--")]
    return str(options[0] if options else parameter.metavar or parameter.name)
