"""Which of a file's columns is what: guessed from common English and Chinese names, or named by the user.

In: the keys of a record, and `data.columns` ({ours: theirs}). Out: {ours: theirs} for the columns that are there.
Ours: instruction, input, output, history, system, messages, tools, task, required.

    name_columns(("问题", "回答"), {})  # {"instruction": "问题", "output": "回答"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from tuneproof.errors import UsageError

NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "dialogue", "dialog", "对话"),
    "instruction": (
        *("instruction", "prompt", "question", "query", "user", "human", "q", "text"),
        *("指令", "问题", "提问", "问", "题目", "提示", "提示词", "用户", "文本"),
    ),
    "input": ("input", "context", "输入", "上下文", "背景", "材料"),
    "output": (
        *("output", "completion", "answer", "response", "reply", "assistant", "target", "a", "label"),
        *("输出", "回答", "答案", "答复", "回复", "答", "助手", "标签"),
    ),
    "history": ("history", "历史", "历史对话"),
    "system": ("system", "system_prompt", "系统", "系统提示", "系统提示词"),
    "tools": ("tools", "functions", "工具"),
    "task": ("task", "任务"),
    "required": ("required", "必须包含"),
}
"""Ours -> the names it goes by, the likeliest first; compared without case, spaces, hyphens and underscores."""


def plain_name(name: str) -> str:
    """A column's name without what people vary: case, spaces, hyphens, underscores."""
    return "".join(letter for letter in name.casefold() if letter not in " -_\t\u3000\ufeff")


def name_columns(keys: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """{ours: theirs} for those of `keys` that are known or given; a column has one meaning only."""
    left = [key for key in keys if key not in given.values()]
    found = {ours: theirs for ours, theirs in given.items() if theirs in keys}
    for ours, names in NAMES.items():
        if ours in given:
            continue
        by_name = {plain_name(key): key for key in reversed(left)}
        theirs = next((by_name[plain_name(name)] for name in names if plain_name(name) in by_name), None)
        if theirs is not None:
            found[ours] = theirs
            left.remove(theirs)
    return found


def is_row(fields: Mapping[str, object]) -> bool:
    """Whether an object is itself a row: it has a conversation, or a question and an answer."""
    found = name_columns(fields, {})
    return "messages" in found or ("output" in found and ("instruction" in found or "input" in found))


def check_given(given: Mapping[str, str]) -> None:
    """Raise UsageError when `data.columns` names a column of ours that does not exist."""
    for ours in given:
        if ours not in NAMES:
            near = get_close_matches(ours, NAMES, n=1)
            known = ", ".join(NAMES)
            where = f"data.columns.{ours}"
            raise UsageError("data.unknown_column", where=where, column=ours, nearest=near[0] if near else known)


def check_found(given: Mapping[str, str], seen: Iterable[str], task: str | None) -> None:
    """Raise UsageError when a column that the user named is in no record. `seen`: all keys of all records."""
    columns = sorted(set(seen))
    for ours, theirs in given.items():
        if columns and theirs not in columns:
            where = "data.task" if ours == "task" and task == theirs else f"data.columns.{ours}"
            raise UsageError("data.missing_column", where=where, column=theirs, columns=", ".join(columns))
