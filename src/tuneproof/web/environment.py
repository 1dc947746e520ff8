"""Templates and static files: the report's own, and the app's beside them. One style, one escaping, one set of words.

In: a language. Out: a Jinja environment in which every value is escaped; bytes of a static file by its name in a fixed
list, under an address that holds the hash of all of them, so that a browser may keep them.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from tuneproof.messages import Language, tell
from tuneproof.report.environment import build_environment
from tuneproof.report.svg import draw
from tuneproof.web.words import list_words

OWN_FILES = (
    "app.css", "live.css", "core.js", "runs.js", "new.js", "live.js", "answers.js", "play.js", "diff.js", "load.js",
    "icon.svg",
)  # fmt: skip
REPORT_FILES = ("style.css", "filter.js")
MOST_TASKS = 400
"""Tasks by which the answers can be filtered."""


class Static(NamedTuple):
    """A file that a browser may load."""

    content: bytes
    kind: str


@cache
def load_static() -> dict[str, Static]:
    """Name -> file, of all static files."""
    found = {name: files("tuneproof.web") / "static" / name for name in OWN_FILES}
    found |= {name: files("tuneproof.report") / "templates" / name for name in REPORT_FILES}
    return {
        name: Static(file.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream")
        for name, file in found.items()
    }


@cache
def hash_static() -> str:
    """Of all static files: a new version of any gives all of them new addresses."""
    digest = hashlib.sha256()
    for name, file in sorted(load_static().items()):
        digest.update(name.encode() + file.content)
    return digest.hexdigest()[:12]


def write_task_rules(count: int) -> str:
    """The style under which the report's filter by task works, for this many tasks."""
    return "".join(
        f"main:has(#task-{n}:checked) .item:not(.task-{n}) {{ display: none; }}\n"
        for n in range(min(count, MOST_TASKS))
    )


@cache
def load_environment(language: Language) -> Environment:
    """The report's environment, with the app's templates before its own."""
    own = build_environment(language)
    made = own.overlay(loader=ChoiceLoader([PackageLoader("tuneproof.web"), PackageLoader("tuneproof.report")]))
    # An overlay shares its filters and globals with what it lies over; the report has no use for these.
    made.globals = {
        **own.globals,
        "static": f"/static/{hash_static()}",
        "words": list_words(language),
        "draw_sparkline": draw_sparkline,
        "draw_place": draw_place,
    }
    return made


def draw_sparkline(points: list[tuple[int, float]], language: Language) -> Markup:
    """A small curve without axes; its first and last value are said to a screen reader."""
    if len(points) < 2:
        return Markup("")
    low, high = min(value for _, value in points), max(value for _, value in points)
    first, last = points[0][0], points[-1][0]

    def place(step: int, value: float) -> str:
        return f"{100 * (step - first) / (last - first or 1):.1f},{22 - 20 * (value - low) / (high - low or 1):.1f}"

    label = tell("web.runs.spark", language, first=f"{points[0][1]:.3g}", last=f"{points[-1][1]:.3g}")
    line = draw("polyline", points=" ".join(place(*point) for point in points), class_="spark-line")
    return draw(
        "svg", line, class_="spark", role="img", aria_label=label, viewBox="0 0 100 24", preserveAspectRatio="none"
    )


def draw_place(share: float) -> Markup:
    """How far a stage is, 0 to 1."""
    done = f"{100 * min(max(share, 0.0), 1.0):.1f}%"
    track = draw("rect", x="0", y=0, width="100%", height=8, class_="track")
    return draw(
        "svg", track, draw("rect", x="0", y=0, width=done, height=8, class_="done"), class_="place", aria_hidden="true"
    )
