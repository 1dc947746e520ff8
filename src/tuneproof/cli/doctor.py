"""`tuneproof doctor`: versions, device, memory, disk, what is missing and how to get it."""

from __future__ import annotations

from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.screens.machine import draw_machine
from tuneproof.cli.show import Screen


def examine_machine(options: Options, screen: Screen) -> int:
    """Show what the machine has."""
    from tuneproof.pipeline import inspect_machine

    sections = inspect_machine()
    screen.show(sections, draw_machine(sections))
    return 0


COMMAND = Command("doctor", Options, examine_machine, ("tuneproof doctor", "tuneproof doctor --json"))
