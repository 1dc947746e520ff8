"""`tuneproof completion SHELL`: the script that makes a shell complete commands and options.

The script calls `tuneproof` again for each completion, with COMPLETE_VAR in its environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from typer import Argument

from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.show import Screen

COMPLETE_VAR = "_TUNEPROOF_COMPLETE"


@dataclass(kw_only=True)
class CompletionOptions(Options):
    """Options of `completion`."""

    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Argument(metavar="SHELL", help="cli.option.shell")]


def write_completion(options: CompletionOptions, screen: Screen) -> int:
    """Print the script."""
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name="tuneproof", complete_var=COMPLETE_VAR, shell=options.shell)
    screen.show({"shell": options.shell, "script": script}, lines=script.splitlines())
    return 0


def complete_line(command: Any, instruction: str) -> int:
    """What the shell's script asks for: the words that may come next. Returns the exit code."""
    from typer._completion_classes import completion_init
    from typer.completion import shell_complete

    completion_init()
    return shell_complete(command, {}, "tuneproof", COMPLETE_VAR, instruction)


COMMAND = Command(
    "completion",
    CompletionOptions,
    write_completion,
    (
        "tuneproof completion bash >> ~/.bashrc",
        "tuneproof completion zsh >> ~/.zshrc",
        "tuneproof completion fish > ~/.config/fish/completions/tuneproof.fish",
        "tuneproof completion powershell >> $PROFILE",
    ),
)
