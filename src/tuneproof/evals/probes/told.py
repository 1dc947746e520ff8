"""What a probe takes as right, in words for a reader.

`accept` also holds wrong sides, counts and signs, each as its check reads them.

    tell_accepted("first_of", ("month", "week"))                # "month": a week would be wrong
    tell_accepted("comma_list", ("2", "saturday", "sunday"))    # "2 of: saturday / sunday"
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["tell_accepted"]


def tell_accepted(check: str, accept: Sequence[str]) -> str:
    """The answers that `check` takes as right; `accept` as the probe has it."""
    right = [text for text in accept if not text.startswith("!")]
    return TOLD.get(check, " / ".join)(right)


def _tell_first(right: Sequence[str]) -> str:
    return right[0]


def _tell_chosen(count: str, items: Sequence[str]) -> str:
    return f"{count} of: {' / '.join(items)}"


def _tell_chosen_zh(count: str, items: Sequence[str]) -> str:
    return f"其中 {count} 项：{' / '.join(items)}"


TOLD: dict[str, Callable[[Sequence[str]], str]] = {
    "first_of": _tell_first,
    "only_choice": _tell_first,
    "zh_yes_no": _tell_first,
    "zh_count": lambda right: "".join(right[:2]),
    "comma_list": lambda right: _tell_chosen(right[0], right[1:]),
    "numbered_list": lambda right: _tell_chosen(right[0], right[1:]),
    "bullet_list": lambda right: _tell_chosen(right[0], right[1:]),
    "zh_list": lambda right: _tell_chosen_zh(right[0], right[2:]),
    "zh_item_lines": lambda right: _tell_chosen_zh(right[0], right[2:]),
    "word_count": lambda right: f"{right[0]} to {right[1]} words, with: {' / '.join(right[2:])}",
    "zh_length": lambda right: f"{right[0]} 至 {right[1]} 个字，含：{' / '.join(right[2:])}",
    "contains_all": " + ".join,
    "sentence_with": " + ".join,
    "zh_sentence": " + ".join,
    "json_keys": " + ".join,
    "exact_lines": "\n".join,
}
"""Checks that read `accept` otherwise than as one right answer beside another."""
