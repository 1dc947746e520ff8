"""Commands -> the typer app: every command the same way, its help in the language in use.

A command is a function of its options and the screen that returns the exit code: a file each, and a name in `__init__`.

    COMMAND = Command("report", ReportOptions, write_report, ("tuneproof report runs/demo",))
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import typer
from rich.markup import escape

from tuneproof import __version__
from tuneproof.cli.launch import RANKS, launch_ranks
from tuneproof.cli.options import Options, RankOptions, TrustOptions
from tuneproof.cli.show import Screen
from tuneproof.consent import trusting_code
from tuneproof.messages import tell

_BREAK = re.compile(
    r"(?<=[\uff0c\u3002\uff1b\uff1a\u3001\uff09\u201d])(?=[^\s\uff0c\u3002\uff1b\uff1a\u3001\uff09\u201d])"
)
"""After full-width punctuation."""
_LONG = re.compile(r"[\u4e00-\u9fff]{9,}")
_PART = re.compile(r"(.{3,6}?[\u7684\u65f6\u540e\u4e86\u6216\u548c\u4e0e\u4e0a\u4e0b\u91cc\u8fc7\u7740]|.{7})(?=..)")
"""A long run without any, after a particle or the seventh sign: the narrowest column has room for ten."""


class Command(NamedTuple):
    """One command of the command line."""

    name: str
    """As typed; a command of a group has two words."""
    options: type[Options]
    perform: Callable[[Any, Screen], int]
    examples: tuple[str, ...]
    """Lines that can be pasted."""


def build_command(commands: Sequence[Command], screen: Screen) -> Any:
    """The root command of `commands`, as click has it; what they show goes to `screen`."""
    app = _make_group("tuneproof", [command.examples[0] for command in commands])
    app.callback()(_make_callback())
    groups: dict[str, typer.Typer] = {}
    for command in commands:
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            inside = [other.examples[0] for other in commands if other.name.startswith(f"{group} ")]
            groups[group] = _make_group(group, inside)
            app.add_typer(groups[group], name=group, rich_help_panel=tell("cli.panel.commands"))
        parent = groups[group] if group else app
        parent.command(
            name,
            help=_write_help(f"cli.help.{command.name.replace(' ', '_')}"),
            epilog=_write_examples(command.examples),
            rich_help_panel=tell("cli.panel.commands"),
        )(_adapt(command, screen))
    root = typer.main.get_command(app)
    _tell_help(root)
    return root


def _tell_help(command: Any) -> None:
    """The line of `--help` itself, in the language in use, for a command and those inside it."""
    option = command.get_help_option(typer.Context(command))
    option.help, option.metavar, option.rich_help_panel = tell("cli.option.help"), "", tell("cli.panel.options")
    for inner in getattr(command, "commands", {}).values():
        _tell_help(inner)


def _make_group(name: str, examples: Sequence[str]) -> typer.Typer:
    return typer.Typer(
        name=name,
        help=escape(tell(f"cli.help.{name}")),
        epilog=_write_examples(examples),
        add_completion=False,
        rich_markup_mode="rich",
    )


def _make_callback() -> Callable[..., None]:
    """What stands before a command: its help in the language in use, so made anew for each call."""
    option = typer.Option(
        "--version",
        help=tell("cli.option.version"),
        callback=_show_version,
        is_eager=True,
        rich_help_panel=tell("cli.panel.options"),
    )

    def accept(lang: str | None = None, version: bool = False) -> None:
        """`tuneproof --lang zh --help`: read by `manner.py`, accepted here."""

    language = typer.Option("--lang", hidden=True)
    accept.__annotations__ = {"lang": Annotated[str | None, language], "version": Annotated[bool, option]}
    return accept


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tuneproof {__version__}")
        raise typer.Exit


def _write_examples(examples: Sequence[str]) -> str:
    return escape("\n".join([tell("cli.help.examples"), *(f"  {example}" for example in examples)]))


def _adapt(command: Command, screen: Screen) -> Callable[..., int]:
    """A function with one parameter a field of the command's options, as typer reads them."""

    def perform(**given: Any) -> int:
        options = command.options(**given)
        if (count := count_ranks(options)) > 1:
            from tuneproof.pipeline import require_gpus

            require_gpus(count)
            return launch_ranks(shlex.split(screen.command)[1:], count)
        if not (isinstance(options, TrustOptions) and options.trust_remote_code):
            return command.perform(options, screen)
        screen.note(tell("cli.trusting"))
        with trusting_code():
            return command.perform(options, screen)

    parameters = [_make_parameter(field) for field in _list_fields(command.options)]
    perform.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    perform.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return perform


def count_ranks(options: Options) -> int:
    """Processes of this machine that the command is to be: one where it works on a cluster, or is one of several."""
    if not isinstance(options, RankOptions) or options.cluster is not None or RANKS in os.environ:
        return 1
    return options.gpus or 1


def trust_as_asked(arguments: Sequence[str]) -> AbstractContextManager[None]:
    """What the flag allows, for a process that follows another's command line and parses none."""
    return trusting_code() if "--trust-remote-code" in arguments else nullcontext()


def _write_help(key: str) -> str:
    """A sentence of the help, with spaces where Chinese may be broken: rich cuts a run without any that is too long."""
    return escape(_LONG.sub(lambda run: _PART.sub(r"\1 ", run.group()), _BREAK.sub(" ", tell(key))))


def _list_fields(options: type[Options]) -> list[tuple[str, Any, Any]]:
    """(name, annotation, default) of each field: the command's own first, those of every command last."""
    hints = get_type_hints(options, include_extras=True)
    defaults = {field.name: field.default for field in dataclasses.fields(options)}
    names = [name for part in options.__mro__[:-1] for name in inspect.get_annotations(part)]
    return [(name, hints[name], defaults[name]) for name in dict.fromkeys(names)]


def _make_parameter(field: tuple[str, Any, Any]) -> inspect.Parameter:
    name, annotation, default = field
    kind, declared = get_args(annotation)
    told = copy(declared)
    told.help = _write_help(declared.help)
    is_argument = type(declared).__name__ == "ArgumentInfo"
    told.rich_help_panel = tell("cli.panel.arguments" if is_argument else "cli.panel.options")
    if kind is bool:
        told.metavar = ""  # A flag takes no value, so no type is shown.
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is dataclasses.MISSING else default,
        annotation=Annotated[kind, told],
    )
