"""The demo data set as shipped: its bytes, its families, its planted defects, and how far its rows are apart."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneproof.demo import demo_data_path
from tuneproof.demo.generate import generate_rows, planted_defects, write_rows

Row = dict[str, Any]
DEFECTS = planted_defects()


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [json.loads(line) for line in demo_data_path().read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def clean(rows: list[Row]) -> list[Row]:
    spoiled = {defect["line"] for defect in DEFECTS}
    return [row for line, row in enumerate(rows, start=1) if line not in spoiled]


def _defect_lines(kind: str) -> list[int]:
    return [defect["line"] for defect in DEFECTS if defect["kind"] == kind]


def _question(row: Row) -> str:
    return re.sub(r"\W+", " ", f"{row['instruction']} {row['input']}".casefold()).strip()


def _pieces(units: str | list[str]) -> set[str]:
    joint = "" if isinstance(units, str) else " "
    return {joint.join(units[start : start + 5]) for start in range(max(1, len(units) - 4))}


def _list_overlaps(all_pieces: list[set[str]]) -> Iterator[float]:
    holders: dict[str, list[int]] = {}
    for index, pieces in enumerate(all_pieces):
        shared = Counter(holder for piece in pieces for holder in holders.get(piece, ()))
        for other, common in shared.items():
            yield common / (len(pieces) + len(all_pieces[other]) - common)
        for piece in pieces:
            holders.setdefault(piece, []).append(index)


def _overlap(first: Row, second: Row) -> tuple[float, float]:
    texts = [_question(first), _question(second)]
    characters = next(_list_overlaps([_pieces(text) for text in texts]), 0.0)
    return characters, next(_list_overlaps([_pieces(text.split()) for text in texts]), 0.0)


def test_shipped_file_is_what_the_generator_writes(tmp_path: Path) -> None:
    write_rows(tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == demo_data_path().read_bytes()


def test_bytes_do_not_depend_on_hash_order(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "tuneproof.demo.generate", str(tmp_path / seed)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
            check=True,
        )
        assert (tmp_path / seed).read_bytes() == demo_data_path().read_bytes()


def test_another_seed_gives_other_rows_of_the_same_families(rows: list[Row]) -> None:
    others = generate_rows(seed=18)
    assert Counter(row["task"] for row in others) == Counter(row["task"] for row in rows)
    same = {json.dumps(row) for row in others} & {json.dumps(row) for row in rows}
    assert all(json.loads(row)["task"] in {"policy", "convert", "invoice"} for row in same)
    assert len(same) < 60


def test_each_family_has_180_clean_rows_and_all_are_mixed(clean: list[Row]) -> None:
    assert Counter(row["task"] for row in clean) == dict.fromkeys(
        ("policy", "extract", "invoice", "convert", "reply"), 180
    )
    for start in range(0, len(clean), 100):
        assert len({row["task"] for row in clean[start : start + 100]}) == 5


def test_every_row_has_belle_fields_and_only_replies_list_what_is_required(rows: list[Row]) -> None:
    for row in rows:
        expected = ["instruction", "input", "output", "task"] + (["required"] if row["task"] == "reply" else [])
        assert list(row) == expected
        assert row["instruction"].strip()


def test_rows_are_short(clean: list[Row]) -> None:
    words = [len(f"{row['instruction']} {row['input']} {row['output']}".split()) for row in clean]
    assert max(words) <= 64
    assert sum(words) / len(words) <= 35


def test_no_two_clean_rows_ask_the_same(clean: list[Row]) -> None:
    assert len({_question(row) for row in clean}) == len(clean)


@pytest.mark.parametrize(
    ("family", "bound"), [("policy", 0.7), ("convert", 0.7), ("reply", 0.7), ("extract", 0.7), ("invoice", 0.8)]
)
def test_no_clean_row_nearly_copies_another(clean: list[Row], family: str, bound: float) -> None:
    questions = [_question(row) for row in clean if row["task"] == family]
    assert max(_list_overlaps([_pieces(text) for text in questions])) < bound
    assert max(_list_overlaps([_pieces(text.split()) for text in questions]), default=0.0) < bound


def test_planted_defects_are_counted_as_promised() -> None:
    assert Counter(defect["kind"] for defect in DEFECTS) == {
        "duplicate": 4,
        "near_duplicate": 3,
        "contradiction": 1,
        "empty_output": 1,
        "placeholder_output": 1,
        "leaked_turn": 1,
        "truncated_output": 1,
        "pii": 1,
        "wrong_arithmetic": 1,
    }


def test_copies_stand_after_the_row_they_repeat(rows: list[Row]) -> None:
    for defect in DEFECTS:
        if defect["kind"] not in {"duplicate", "near_duplicate", "contradiction"}:
            assert defect["related"] == []
            continue
        [original] = defect["related"]
        assert original < defect["line"]
        row, source = rows[defect["line"] - 1], rows[original - 1]
        if defect["kind"] == "duplicate":
            assert row == source
        elif defect["kind"] == "contradiction":
            assert _question(row) == _question(source)
            assert row["output"] != source["output"]
        else:
            assert _question(row) != _question(source)
            assert row["output"] == source["output"]
            assert min(_overlap(row, source)) >= 0.75


def test_damaged_rows_are_damaged_as_their_kind_says(rows: list[Row]) -> None:
    outputs = {
        kind: [rows[line - 1]["output"] for line in _defect_lines(kind)]
        for kind in ("empty_output", "placeholder_output", "leaked_turn", "truncated_output", "wrong_arithmetic")
    }
    assert outputs["empty_output"] == [""]
    assert outputs["placeholder_output"] == ["N/A"]
    assert "\nInstruction:" in outputs["leaked_turn"][0]
    assert outputs["truncated_output"][0].endswith(" your")
    assert "12 x 3.00 = 38.00" in outputs["wrong_arithmetic"][0]
    [exposed] = [rows[line - 1]["input"] for line in _defect_lines("pii")]
    assert re.search(r"[\w.]+@example\.com", exposed)
    # 020 7946 0000 to 0999 is kept free by Ofcom for films and books.
    assert re.search(r"\+44 20 7946 0\d\d\d\b", exposed)


def test_only_the_planted_row_holds_personal_data(clean: list[Row]) -> None:
    for row in clean:
        text = f"{row['instruction']} {row['input']} {row['output']}"
        assert "@" not in text
        assert "+4" not in text
        assert not re.search(r"(?:\d[ -]?){7,}", re.sub(r"\d{4}-\d\d-\d\d", "", text))


def test_readme_lists_every_planted_defect() -> None:
    readme = demo_data_path().with_name("README.md").read_text(encoding="utf-8")
    for defect in DEFECTS:
        related = ", ".join(map(str, defect["related"])) or "-"
        assert f"| {defect['line']} | {defect['kind']} | {related} |" in readme
