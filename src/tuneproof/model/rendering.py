"""Whether a chat template can be rendered without harm: tried in a process of its own, with a clock and a limit.

A template is a program of a stranger. transformers renders it in a sandbox, which keeps it from the machine, but not
from looping for hours or filling the memory. So each template is rendered here once, before it is ever rendered there;
what was found good is noted in the user's cache by the template's hash. What it does only for a conversation unlike
those tried here is not found.

    prove_template(tokenizer.chat_template)     # raises ModelError

As a process: `python -m tuneproof.model.rendering SECONDS < template.jinja`, exit code 0, or 3 with a reason on stdout.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from platformdirs import user_cache_path

from tuneproof.errors import ModelError

LARGEST = 1 << 18
"""Bytes of a template; TRL's largest has 20 KB."""
LONGEST = 1 << 20
"""Characters of a rendered conversation of a few words."""
SECONDS = 10
MEMORY = 1 << 30
"""Bytes beyond what the process has when it begins."""
TALKS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("user", "Hello?"), ("assistant", "Hello.")),
    (("system", "Be brief."), ("user", "Hello?"), ("assistant", "Hello."), ("user", "And?"), ("assistant", "No.")),
)


class Marked(Extension):
    """`{% generation %}`, as transformers has it: what is inside is rendered as it is."""

    tags = {"generation"}

    def parse(self, parser: Any) -> Any:
        """The nodes inside."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def prove_template(template: str, where: str, seconds: int = SECONDS) -> None:
    """Raise ModelError unless the template renders within its limits; one that was found good is not tried again.

    `seconds`: of a processor, for all conversations that are tried.
    """
    if len(template.encode()) > LARGEST:
        raise ModelError("model.bad_template", where=where, why=f"{len(template.encode()):,} bytes")
    known = user_cache_path("tuneproof") / "templates" / hashlib.sha256(template.encode()).hexdigest()
    if known.is_file():
        return
    command = [sys.executable, "-m", "tuneproof.model.rendering", str(seconds)]
    try:
        done = subprocess.run(command, input=template.encode(), capture_output=True, timeout=6 * SECONDS + seconds)
    except subprocess.TimeoutExpired:
        raise ModelError("model.bad_template", where=where, why=f"> {seconds} s") from None
    if done.returncode != 0:
        why = done.stdout.decode(errors="replace").strip() or f"> {seconds} s"
        raise ModelError("model.bad_template", where=where, why=why)
    with contextlib.suppress(OSError):
        known.parent.mkdir(parents=True, exist_ok=True)
        known.touch()


def render_all(template: str) -> str | None:
    """What is wrong with a template; None for nothing. Errors that it raises itself are its right."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Marked, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **options: str(value)
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: form
    for talk in TALKS:
        messages = [{"role": role, "content": content} for role, content in talk]
        for until in range(1, len(messages) + 1):
            words = {"bos_token": "<s>", "eos_token": "</s>", "tools": None, "documents": None}
            try:
                said = environment.from_string(template).render(
                    messages=messages[:until], add_generation_prompt=messages[until - 1]["role"] != "assistant", **words
                )
            except (SecurityError, MemoryError, RecursionError) as error:
                return f"{type(error).__name__}: {error}"
            except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError):
                continue
            if len(said) > LONGEST:
                return f"{len(said):,} characters"
    return None


def _refuse(why: str) -> None:
    raise jinja2.TemplateError(why)


def _limit_process(seconds: int) -> None:
    """Bound memory, and the time from here on; Windows has only the caller's clock."""
    try:
        import resource
    except ImportError:
        return
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    end = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end, end))


def main() -> int:
    """Render the template on standard input."""
    template = sys.stdin.buffer.read().decode()
    with contextlib.suppress(OSError, ValueError):
        _limit_process(int(sys.argv[1]))
    why = render_all(template)
    if why is not None:
        sys.stdout.write(why)
    return 0 if why is None else 3


if __name__ == "__main__":
    sys.exit(main())
