"""A record of any known shape -> one conversation that ends with an answer.

Shapes, told by their columns: a conversation (ShareGPT's from/value, OpenAI's role/content, pairs of human/assistant),
or a question and an answer (BELLE and Alpaca with input, history and system; prompt/completion; Chinese names).
Text stays as it is. What is declared to change: a number or a boolean becomes its JSON text, an absent optional field
the empty text, `input` follows `instruction` on a new line, tool definitions follow the system prompt, a tool call
becomes the JSON text of an assistant's turn, and turns behind the last answer are left out (and named).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tuneproof.data.columns import plain_name
from tuneproof.data.decode import UNDECODED
from tuneproof.data.findings import Value, quote_text
from tuneproof.data.parse import JsonNumber, name_type, parse_quietly
from tuneproof.records import Message
from tuneproof.records.data import FindingKind

Role = Literal["system", "user", "assistant", "tool"]
ROLE_NAMES: dict[Role, tuple[str, ...]] = {
    "system": ("system", "developer", "系统"),
    "user": ("user", "human", "prompter", "用户", "问"),
    "assistant": ("assistant", "gpt", "bot", "chatgpt", "model", "ai", "functioncall", "toolcall", "助手", "答"),
    "tool": ("tool", "observation", "function", "toolresponse", "functionresponse", "工具"),
}
ROLES: dict[str, Role] = {name: role for role, names in ROLE_NAMES.items() for name in names}
ROLE_KEYS = ("role", "from", "speaker", "角色")
TEXT_KEYS = ("content", "value", "text", "内容")


class RowFault(Exception):
    """Why a record is no row, or what is odd about it: the kind of the finding and what fills its sentence."""

    def __init__(self, kind: FindingKind, **values: Value) -> None:
        super().__init__(kind)
        self.kind = kind
        self.values = values


@dataclass
class Draft:
    """A record's conversation before it gets its id, and what is odd about it but leaves it usable."""

    messages: list[Message]
    task: str = ""
    required: list[str] = field(default_factory=list)
    oddities: list[RowFault] = field(default_factory=list)


@dataclass(frozen=True)
class Fields:
    """A record's fields under our names. `names`: {ours: theirs}."""

    record: Mapping[str, object]
    names: Mapping[str, str]

    def value(self, ours: str) -> object | None:
        """The field's value; lists and objects that a table's cell holds as JSON are parsed."""
        value = self.record.get(self.names[ours]) if ours in self.names else None
        if type(value) is str and ours in ("messages", "history", "required"):
            parsed = parse_quietly(value)
            return parsed if isinstance(parsed, list) else value or None
        return value

    def text(self, ours: str) -> str:
        """The field's text, "" where it is absent. Raises RowFault when it is a list or an object."""
        return as_text(self.value(ours), self.names.get(ours, ours))


def convert_record(record: Mapping[str, object], names: Mapping[str, str], system_prompt: str | None) -> Draft:
    """The conversation of a record whose columns are `names` ({ours: theirs}). Raises RowFault when it has none.

    `system_prompt` goes to records without one of their own.
    """
    fields = Fields(record, names)
    turns = list(read_turns(fields.value("messages"), names["messages"]) if "messages" in names else read_pair(fields))
    draft = Draft(turns, task=fields.text("task"))
    cut_unanswered(draft)
    tools = fields.value("tools")
    own = [turns.pop(0).content] if turns[0].role == "system" else []
    system = [*own, fields.text("system")]
    if not any(system):
        system = [system_prompt or ""]
    system.append(write_json(tools, "tools") if isinstance(tools, (list, dict)) and tools else "")
    system.append(fields.text("tools") if isinstance(tools, str) and tools.strip() != "[]" else "")
    if any(system):
        turns.insert(0, Message(role="system", content="\n\n".join(part for part in system if part)))
    read_required(fields, draft)
    return draft


def add_answer(
    record: Mapping[str, object], names: Mapping[str, str]
) -> tuple[Mapping[str, object], Mapping[str, str]]:
    """Record and columns of a question, with an empty answer where it has none. Raises RowFault for broken turns."""
    if "messages" in names:
        column = names["messages"]
        turns = Fields(record, names).value("messages")
        if isinstance(turns, list) and [message.role for message in read_turns(turns, column)][-1:] != ["assistant"]:
            return {**record, column: [*turns, {"role": "assistant", "content": ""}]}, names
    elif "output" not in names:
        # A column that is not there reads as the empty text.
        return record, {**names, "output": "output"}
    return record, names


def cut_unanswered(draft: Draft) -> None:
    """Leave out the turns behind the last answer. Raises RowFault when there is no answer or nothing before it."""
    count = len(draft.messages)
    while draft.messages and draft.messages[-1].role != "assistant":
        draft.messages.pop()
    if not draft.messages:
        raise RowFault("missing_field", variant="no_answer")
    if all(message.role in ("system", "assistant") for message in draft.messages):
        raise RowFault("missing_field", variant="no_question")
    if len(draft.messages) < count:
        draft.oddities.append(RowFault("missing_field", variant="unanswered", turns=count - len(draft.messages)))


def read_pair(fields: Fields) -> Iterator[Message]:
    """The turns of a question and an answer, history first; either may be a list of turns itself."""
    names = fields.names
    if "output" not in names or not ("instruction" in names or "input" in names):
        raise RowFault("missing_field", variant="columns", columns=list_names(fields.record))
    yield from read_history(fields.value("history"), names.get("history", ""))
    question, answer = fields.value("instruction"), fields.value("output")
    if isinstance(question, list):
        yield from read_turns(question, names["instruction"])
    else:
        parts = [fields.text("instruction"), fields.text("input")]
        yield Message(role="user", content="\n".join(part for part in parts if part))
    if isinstance(answer, list):
        yield from read_turns(answer, names["output"])
    else:
        yield Message(role="assistant", content=fields.text("output"))


def read_history(value: object | None, column: str) -> Iterator[Message]:
    """The turns of BELLE's history: a list of pairs of question and answer."""
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise RowFault("wrong_type", variant="history", column=column)
    for question, answer in value:
        yield Message(role="user", content=as_text(question, column))
        yield Message(role="assistant", content=as_text(answer, column))


def read_turns(value: object | None, column: str) -> Iterator[Message]:
    """The turns of a conversation: a list of objects with a role and a text."""
    if not isinstance(value, list) or not value:
        raise RowFault("wrong_type", variant="turns", column=column, got=name_type(value))
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise RowFault("wrong_type", variant="turn", column=column, turn=number, got=name_type(turn))
        role_key = next((key for key in ROLE_KEYS if key in turn), None)
        if role_key is None:
            yield from read_named_turns(turn, column, number)
            continue
        role = ROLES.get(plain_name(str(turn[role_key])))
        if role is None:
            raise RowFault(
                "wrong_type", variant="role", column=column, turn=number, role=quote_text(str(turn[role_key]))
            )
        yield Message(role=role, content=read_content(turn, f"{column}[{number - 1}]"))


def read_named_turns(turn: Mapping[str, object], column: str, number: int) -> Iterator[Message]:
    """The turns of an object whose keys are roles: {"human": ..., "assistant": ...}."""
    known = [(ROLES[plain_name(key)], value) for key, value in turn.items() if plain_name(key) in ROLES]
    if not known:
        raise RowFault("missing_field", variant="role", column=column, turn=number, columns=list_names(turn))
    for role, value in known:
        yield Message(role=role, content=as_text(value, column))


def read_content(turn: Mapping[str, object], place: str) -> str:
    """A turn's text: of its parts where it has parts, and of the tool calls where it makes any."""
    key = next((key for key in TEXT_KEYS if key in turn), None)
    calls = turn.get("tool_calls") or turn.get("function_call")
    if key is None and not calls:
        raise RowFault("missing_field", variant="content", column=place, columns=list_names(turn))
    value = turn[key] if key else None
    if isinstance(value, list):
        value = "".join(read_part(part, place) for part in value)
    texts = [as_text(value, place), write_json(calls, place) if calls else ""]
    return "\n".join(text for text in texts if text)


def read_part(part: object, place: str) -> str:
    """The text of one part of a turn. Raises RowFault for an image or sound."""
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return check_text(part["text"], place)
    raise RowFault("wrong_type", variant="part", column=place)


def read_required(fields: Fields, draft: Draft) -> None:
    """The strings that a right answer must contain; a column of this name that holds something else is named."""
    value = fields.value("required")
    if isinstance(value, str) and value and not isinstance(value, JsonNumber):
        value = [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        draft.required = [check_text(item, fields.names["required"]) for item in value]
    elif value is not None:
        draft.oddities.append(RowFault("wrong_type", variant="required", column=fields.names["required"]))


def list_names(fields: Mapping[str, object]) -> str:
    """The names of an object's fields, for use in a sentence."""
    return quote_text(", ".join(fields), 200)


def as_text(value: object | None, column: str) -> str:
    """A field's text: strings as they are, numbers and booleans as JSON writes them, null as "".

    Raises RowFault for a list or an object.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return check_text(value, column)
    raise RowFault("wrong_type", variant="text", column=column, got=name_type(value))


def check_text(text: str, column: str) -> str:
    """The text itself. Raises RowFault for half a character in it: no UTF-8 file and no tokenizer can hold that."""
    if not text.isascii() and UNDECODED.search(text):
        raise RowFault("bad_encoding", variant="surrogate", column=column)
    return str(text)


def write_json(value: object, column: str) -> str:
    """JSON text of a parsed value, its numbers with the digits they came with."""
    if isinstance(value, dict):
        pairs = (f"{write_json(str(key), column)}: {write_json(item, column)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(write_json(item, column) for item in value) + "]"
    return str(value) if isinstance(value, JsonNumber) else check_text(json.dumps(value, ensure_ascii=False), column)
