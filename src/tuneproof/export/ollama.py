"""`--to ollama`: a Modelfile whose TEMPLATE writes what the run's chat template writes.

Ollama does not read Jinja. Its templates are Go's (`text/template`), so the chat template is taken apart: rendered on
conversations whose texts are markers, what stands between the markers is what the template puts around each turn. That
is proven, not trusted: `render_modelfile` reads the Modelfile back and renders it as Go would, and the text must be the
run's, turn for turn.

    pieces = take_apart(tokenizer)
    (folder / "Modelfile").write_text(write_modelfile("./model-F16.gguf", pieces, stops, system))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tuneproof.errors import ModelError
from tuneproof.model.chat import render
from tuneproof.records import Message

CONTEXT = 8192
"""`num_ctx` at most: Ollama cuts longer prompts without a word, by default at 4096 tokens."""
ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)


class Pieces(NamedTuple):
    """What a chat template writes around turns: (before, after) a role, and where the assistant begins to speak."""

    start: str
    """Once, before everything: a begin-of-text."""
    roles: dict[str, tuple[str, str]]
    ask: str
    system: str | None
    """The system prompt that the template adds where a conversation has none."""


def take_apart(tokenizer: Any) -> Pieces:
    """The pieces. Raises ModelError when the template is not a sum of its turns."""
    system, user, answer, next_user = "SYSTEM-0f3a", "USER-1c7b", "ANSWER-2d9e", "USER-3e5d"
    turns = [
        Message(role="system", content=system),
        Message(role="user", content=user),
        Message(role="assistant", content=answer),
        Message(role="user", content=next_user),
    ]
    text = render(tokenizer, turns, ask=True)
    one = render(tokenizer, turns[1:2], ask=False)
    two = render(tokenizer, turns[1:3], ask=False)
    parts = re.split("|".join((system, user, answer, next_user)), text)
    if len(parts) != 5 or user not in one or answer not in two:
        raise ModelError("export.no_pieces", where="chat_template")
    before_system, to_user, to_answer, to_next, tail = parts
    after_user, after_answer = one.partition(user)[2], two.partition(answer)[2]
    before_user = to_next.removeprefix(after_answer)
    alone = one.partition(user)[0]
    start, default = find_default(alone, before_user, before_system, to_user.removesuffix(before_user))
    pieces = Pieces(
        start=start,
        roles={
            "system": (before_system.removeprefix(start), to_user.removesuffix(before_user)),
            "user": (before_user, after_user),
            "assistant": (to_answer.removeprefix(after_user), after_answer),
        },
        ask=tail.removeprefix(after_user),
        system=default,
    )
    for conversation in (turns, turns[1:], turns[:2]):
        told = conversation if conversation[0].role == "system" else add_system(conversation, default)
        if put_together(pieces, told) != render(tokenizer, conversation, ask=conversation[-1].role == "user"):
            raise ModelError("export.no_pieces", where="chat_template")
    return pieces


def find_default(alone: str, before_user: str, before_system: str, after_system: str) -> tuple[str, str | None]:
    """What stands before everything, and the system prompt that the template adds by itself, if it does."""
    head = alone.removesuffix(before_user)
    if head.startswith(before_system) and head.endswith(after_system) and len(head) > len(before_system + after_system):
        return "", head.removeprefix(before_system).removesuffix(after_system)
    return head, None


def add_system(messages: Sequence[Message], text: str | None) -> list[Message]:
    """The conversation with this system prompt before it, as Ollama puts SYSTEM before one that has none."""
    return [*([Message(role="system", content=text)] if text is not None else []), *messages]


def put_together(pieces: Pieces, messages: Sequence[Message]) -> str:
    """The text of a conversation, from the pieces."""
    text = pieces.start
    for message in messages:
        before, after = pieces.roles[message.role]
        text += before + message.content + after
    return text + (pieces.ask if messages[-1].role == "user" else "")


def write_template(pieces: Pieces) -> str:
    """The pieces as a Go template: a loop over the turns, then where the assistant begins."""
    branches: list[str] = []
    for role, (before, after) in pieces.roles.items():
        word = "if" if not branches else "else if"
        branches.append(f'{{{{ {word} eq .Role "{role}" }}}}{quote(before)}{{{{ .Content }}}}{quote(after)}')
    loop = "{{ range .Messages }}" + "".join(branches) + "{{ end }}{{ end }}"
    return quote(pieces.start) + loop + quote(pieces.ask)


def quote(text: str) -> str:
    """Text that stands as it is in a Go template. Raises ModelError for what a Modelfile cannot hold."""
    if '"""' in text:
        raise ModelError("export.no_pieces", where="chat_template")
    return text.replace("{{", '{{ "{{" }}')


class Modelfile(NamedTuple):
    """What a Modelfile says."""

    base: str
    """FROM: a GGUF file beside it."""
    template: str
    stops: Sequence[str]
    system: str | None
    context: int
    adapter: str | None = None


def write_modelfile(modelfile: Modelfile, comment: str) -> str:
    """The file's text."""
    lines = [*(f"# {line}" for line in comment.splitlines()), f"FROM {modelfile.base}"]
    if modelfile.adapter:
        lines.append(f"ADAPTER {modelfile.adapter}")
    lines.append(f'TEMPLATE """{modelfile.template}"""')
    if modelfile.system is not None:
        lines.append(f'SYSTEM """{modelfile.system}"""')
    lines += [f'PARAMETER stop "{stop}"' for stop in modelfile.stops]
    lines += ["PARAMETER temperature 0", f"PARAMETER num_ctx {modelfile.context}"]
    return "\n".join(lines) + "\n"


def read_modelfile(text: str) -> Modelfile:
    """What a Modelfile says; of a stop or a system prompt that is not there nothing."""
    blocks = dict(re.findall(r'^(TEMPLATE|SYSTEM) """(.*?)"""$', text, re.DOTALL | re.MULTILINE))
    plain = re.sub(r'^(TEMPLATE|SYSTEM) """.*?"""$', "", text, flags=re.DOTALL | re.MULTILINE)
    lines = dict(re.findall(r"^(FROM|ADAPTER|PARAMETER num_ctx) (.*)$", plain, re.MULTILINE))
    return Modelfile(
        base=lines.get("FROM", ""),
        template=blocks.get("TEMPLATE", ""),
        stops=re.findall(r'^PARAMETER stop "(.*)"$', plain, re.MULTILINE),
        system=blocks.get("SYSTEM"),
        context=int(lines.get("PARAMETER num_ctx", 0)),
        adapter=lines.get("ADAPTER"),
    )


def render_modelfile(modelfile: Modelfile, messages: Sequence[Message]) -> str:
    """The prompt that Ollama makes of a conversation: the part of Go's templates that `write_template` uses."""
    turns = list(messages)
    if modelfile.system and turns[0].role != "system":
        turns = add_system(turns, modelfile.system)
    nodes = iter(ACTION.split(modelfile.template))
    # split() gives text, action, text, action, ..., text.
    parts = [(bool(at % 2), part) for at, part in enumerate(nodes)]
    text, rest = _run(iter(parts), turns, None)
    assert rest is None
    return text


def _run(parts: Iterator[tuple[bool, str]], turns: Sequence[Message], turn: Message | None) -> tuple[str, str | None]:
    """Text up to the `else` or `end` that closes this block, and that action; None at the end of the template."""
    text = ""
    for is_action, part in parts:
        if not is_action:
            text += part
        elif part == "range .Messages":
            block = _take_block(parts)
            text += "".join(_run(iter(block), turns, one)[0] for one in turns)
        elif part.startswith("if "):
            text += _choose(part, _take_block(parts), turns, turn)
        elif part == ".Content":
            text += turn.content if turn else ""
        elif part.startswith('"'):
            text += part[1:-1]
        else:
            return text, part
    return text, None


def _take_block(parts: Iterator[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """The parts up to the `end` of the block that has just begun."""
    block: list[tuple[bool, str]] = []
    depth = 1
    for is_action, part in parts:
        if is_action and (part.startswith(("if ", "range "))):
            depth += 1
        if is_action and part == "end":
            depth -= 1
            if depth == 0:
                break
        block.append((is_action, part))
    return block


def _choose(condition: str, block: list[tuple[bool, str]], turns: Sequence[Message], turn: Message | None) -> str:
    """The branch whose role is the turn's."""
    branches: list[tuple[str, list[tuple[bool, str]]]] = [(condition, [])]
    for is_action, part in block:
        if is_action and part.startswith("else"):
            branches.append((part.removeprefix("else").strip(), []))
        else:
            branches[-1][1].append((is_action, part))
    for wanted, parts in branches:
        role = re.fullmatch(r'if eq \.Role "(\w+)"', wanted)
        if not wanted or (role and turn is not None and turn.role == role[1]):
            return _run(iter(parts), turns, turn)[0]
    return ""
