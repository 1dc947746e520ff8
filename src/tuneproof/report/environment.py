"""The template engine, and what the page may run: every value is escaped, only our own style and script are allowed.

In: a language; how many tasks the page filters by. Out: a Jinja environment; style and script with their hashes, and
the content security policy made of them, under which a browser loads and runs nothing else, from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tuneproof.figures import FORMATS, format_cut
from tuneproof.messages import Language, tell
from tuneproof.report import headlines, plots, rounds
from tuneproof.report.charts import SIGNS, judge_interval
from tuneproof.report.text import show_controls
from tuneproof.report.words import name_family, name_of, say_key


class Assets(NamedTuple):
    """The page's one style and one script, and the policy that allows these two and nothing else."""

    style: Markup
    script: Markup
    policy: str


@cache
def build_environment(language: Language) -> Environment:
    """Templates that escape every value, write hidden characters out, and fail on a name that does not exist."""
    environment = Environment(
        loader=PackageLoader("tuneproof.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {name: partial(format_, language=language) for name, format_ in FORMATS.items()}
    environment.filters |= {
        "family": partial(name_family, language=language),
        "cut": partial(format_cut, language=language),
    }
    environment.globals |= {
        "language": language,
        "gap": "" if language == "zh" else " ",  # Between two sentences, or a colon and what follows.
        "t": lambda key, **values: tell(f"report.{key}", language, **values),
        "tell": lambda key, **values: tell(key, language, **values),
        "name_of": partial(name_of, language=language),
        "say": partial(say_key, language=language),
        "headlines": headlines,
        "plots": plots,
        "rounds": rounds,
        "signs": SIGNS,
        "judge_interval": judge_interval,
    }
    return environment


def _finalize(value: object) -> object:
    # Markup is a str too: our own drawings and macros, which have been escaped already.
    return show_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def load_assets(tasks: int) -> Assets:
    """Style and script from the package; the filter by task needs one rule a task, and works without the script."""
    folder = files("tuneproof.report") / "templates"
    style = (folder / "style.css").read_text(encoding="utf-8")
    style += "".join(f"main:has(#task-{n}:checked) .item:not(.task-{n}) {{ display: none; }}\n" for n in range(tasks))
    script = (folder / "filter.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{hash_source(style)}'; script-src '{hash_source(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Assets(Markup(style), Markup(script), policy)


def hash_source(text: str) -> str:
    """`sha256-...` of an inline style or script, as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
