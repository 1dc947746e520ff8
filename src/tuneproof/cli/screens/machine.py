"""What `tuneproof doctor` sees: a section a heading, whatever sections the pipeline hands over.

In: a dictionary of plain data. Out: something rich can print.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType

from tuneproof.cli.figures import format_bytes
from tuneproof.cli.screens.frame import make_facts, make_list, make_part
from tuneproof.cli.words import clean_text, name_of, say_key
from tuneproof.messages import load_catalogue, tell

IN_BYTES = ("memory", "disk")
"""Sections whose whole numbers are bytes."""


def draw_machine(sections: Mapping[str, object]) -> RenderableType:
    """Every section, in the order given."""
    return Group(*(_draw_section(name, content) for name, content in sections.items()))


def _draw_section(name: str, content: object) -> RenderableType:
    heading = name_of("cli.doctor", name)
    if isinstance(content, Mapping):
        facts = [(name_of(f"cli.doctor.{name}", str(key)), _write(name, key, value)) for key, value in content.items()]
        return make_part(heading, make_facts(facts))
    if isinstance(content, list):
        found = make_list(say_key(str(one)) for one in content) if content else tell("cli.doctor.none")
        return make_part(heading, found)
    return make_part(heading, _write(name, "", content))


def _write(section: str, key: str, value: object) -> str:
    """A value as text; behind what is missing, how to get it."""
    if value is None:
        return tell("cli.doctor.unset")
    if isinstance(value, bool):
        word = tell("report.yes" if value else "report.no")
        advice = f"cli.doctor.get.{section}"
        return word if value or advice not in load_catalogue() else f"{word}: {tell(advice, name=key)}"
    if isinstance(value, int) and section in IN_BYTES:
        return format_bytes(value)
    if isinstance(value, str) and value in load_catalogue():
        return f"{tell('report.no')}: {tell(value)}"
    return clean_text(str(value))
