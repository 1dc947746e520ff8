"""Defects planted into real rows, in English and Chinese: the share that is found, kind by kind."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.data.rows import read_file
from tuneproof.data.check import check_rows
from tuneproof.data.ending import MARKS
from tuneproof.data.language import width
from tuneproof.data.near import GRAM

Pair = dict[str, str]
Plant = Callable[[Pair, random.Random], Pair | str | None]
"""A row -> the damaged one (text: a line that is no JSON), or None where it cannot be damaged so."""
COUNT = 60
LANGUAGES = ("en", "zh")


def is_chinese(text: str) -> bool:
    return "\u4e00" <= max(text, default="") <= "\u9fff" or any("\u4e00" <= sign <= "\u9fff" for sign in text)


def change(row: Pair, output: str) -> Pair:
    return {**row, "output": output}


def copy(row: Pair, generator: random.Random) -> Pair:
    return dict(row)


def contradict(row: Pair, generator: random.Random) -> Pair:
    words = (
        "是的，完全不是这样，请看下面的说明。"
        if is_chinese(row["output"])
        else "No, quite the opposite of it is true. "
    )
    return change(row, words * generator.randint(2, 4))


def empty(row: Pair, generator: random.Random) -> Pair:
    return change(row, generator.choice(["", " ", "\n", "\u3000"]))


def hold_place(row: Pair, generator: random.Random) -> Pair:
    chinese = ("待补充", "无", "略", "同上", "暂无", "占位符")
    english = ("N/A", "TODO", "TBD", "none", "<nooutput>", "null", "...", "placeholder")
    return change(row, generator.choice(chinese if is_chinese(row["output"]) else english))


def break_row(row: Pair, generator: random.Random) -> Pair | str:
    text = json.dumps(row, ensure_ascii=False)
    without: Pair = {key: value for key, value in row.items() if key != "output"}
    broken: list[Pair | str] = [text[: len(text) // 2], text.replace('"output":', '"output"'), f"{text},", without]
    return generator.choice(broken)


def reword(row: Pair, generator: random.Random) -> Pair | None:
    """The question with signs changed until its 5-grams overlap by just 0.8 or a little more."""
    text = row["instruction"] + (f"\n{row['input']}" if row["input"] else "")
    if not 60 <= width(text) <= 2000:
        return None
    before, signs = list_grams(text), list(text)
    for _ in range(40):
        signs[generator.randrange(len(signs))] = generator.choice("甲乙丙丁" if is_chinese(text) else "qxzj")
        after = list_grams("".join(signs))
        similar = len(before & after) / len(before | after)
        if similar < 0.9:
            changed = "".join(signs).split("\n", 1)
            row = {**row, "instruction": changed[0], "input": changed[1] if len(changed) > 1 else ""}
            return row if similar >= 0.8 else None
    return None


def list_grams(text: str) -> set[str]:
    plain = " ".join(text.casefold().split())
    return {plain[at : at + GRAM] for at in range(max(1, len(plain) - GRAM + 1))}


def garble(row: Pair, generator: random.Random) -> Pair | None:
    raw = row["output"].encode()
    if is_chinese(row["output"]):
        return change(row, raw.decode(generator.choice(["gb18030", "cp1252", "latin-1"]), "ignore"))
    text = row["output"].replace("'", "’").replace('"', "“").replace(" - ", " – ").encode()
    return change(row, text.decode("cp1252", "ignore")) if not text.isascii() else None


def leak(row: Pair, generator: random.Random) -> Pair:
    english = (
        "User: and then?",
        "### Instruction:\nName a fruit.",
        "Human: thanks",
        "Assistant: yes",
        "Instruction: go on",
    )
    chinese = ("用户：然后呢？", "人类：谢谢", "助手：好的", "指令：继续", "### 指令：\n说一种水果")
    return change(row, f"{row['output']}\n{generator.choice(chinese if is_chinese(row['output']) else english)}")


def leave_token(row: Pair, generator: random.Random) -> Pair:
    tokens = ("<|im_end|>", "</s>", "<|eot_id|>", "<|endoftext|>\n<|im_start|>user", " [/INST] ok", "<end_of_turn>")
    return change(row, row["output"] + generator.choice(tokens))


def cut(row: Pair, generator: random.Random) -> Pair | None:
    """The answer cut anywhere but behind a whole sentence, which nobody could tell."""
    answer = row["output"]
    kept = answer[: int(len(answer) * generator.uniform(0.3, 0.95))]
    return change(row, kept) if width(answer) >= 120 and kept.rstrip()[-1:] not in tuple(MARKS) else None


def expose(row: Pair, generator: random.Random) -> Pair:
    number = "".join(generator.choices("0123456789", k=8))
    chinese = (f"电话 139{number}", f"邮箱 wang{number}@163.com", f"身份证 {make_identity(generator)}")
    english = (f"call (312) {number[:3]}-{number[3:7]}", f"k{number}@posteo.de", f"card {make_card(generator)}")
    return change(row, f"{row['output']} {generator.choice(chinese if is_chinese(row['output']) else english)}")


def make_identity(generator: random.Random) -> str:
    born = f"19{generator.randint(50, 99)}0{generator.randint(1, 9)}1{generator.randint(0, 9)}"
    text = f"110105{born}{generator.randint(100, 999)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return text + "10X98765432"[sum(int(a) * b for a, b in zip(text, weights, strict=True)) % 11]


def make_card(generator: random.Random) -> str:
    digits = [4, *generator.choices(range(10), k=14)]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10]))


class Defect(NamedTuple):
    """A kind of defect, and how it is planted."""

    kind: str
    plant: Plant
    share: float
    """Of those planted, what must be found, 0 to 1."""
    adds: bool
    """Whether the row is added, or takes the sound one's place."""


PLANTED = [
    Defect("duplicate", copy, 0.98, True),
    Defect("contradiction", contradict, 0.98, True),
    Defect("empty_output", empty, 0.98, False),
    Defect("placeholder_output", hold_place, 0.98, False),
    Defect("bad_row", break_row, 0.98, False),
    Defect("near_duplicate", reword, 0.9, True),
    Defect("mojibake", garble, 0.9, False),
    Defect("leaked_turn", leak, 0.9, False),
    Defect("template_token", leave_token, 0.9, False),
    Defect("truncated_output", cut, 0.9, False),
    Defect("pii", expose, 0.9, False),
]
BAD_ROW = {"bad_json", "missing_field", "wrong_type"}


def measure_recall(rows: list[Pair], defect: Defect, folder: Path, seed: int) -> float:
    generator = random.Random(seed)
    order = generator.sample(range(len(rows)), len(rows))
    lines: list[Pair | str] = list(rows)
    planted: list[int] = []
    for at in order:
        damaged = defect.plant(rows[at], generator)
        if damaged is not None and len(planted) < COUNT:
            if defect.adds:
                lines.append(damaged)
            else:
                lines[at] = damaged
            planted.append(len(lines) if defect.adds else at + 1)
    path = folder / f"{defect.kind}-{seed}.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("\n".join(texts), encoding="utf-8")
    report, _ = check_rows(read_file(path))
    kinds = BAD_ROW if defect.kind == "bad_row" else {defect.kind}
    found = {finding.line for finding in report.findings if finding.kind in kinds and finding.severity != "info"}
    assert len(planted) == COUNT
    return len(found & set(planted)) / COUNT


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("defect", PLANTED, ids=[defect.kind for defect in PLANTED])
def test_planted_defects_are_found(data_dir: Path, tmp_path: Path, language: str, defect: Defect) -> None:
    rows: list[Pair] = json.loads((data_dir / f"alpaca_{language}.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["output"].strip()]
    recalls = [measure_recall(rows, defect, tmp_path, seed) for seed in (1, 2)]
    assert sum(recalls) / len(recalls) >= defect.share, recalls
