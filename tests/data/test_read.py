"""Every shape and container is read without a flag, and text arrives byte for byte."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from tests.data.rows import read_file, read_text
from tuneproof.data.read import read_rows
from tuneproof.errors import DataError, UsageError
from tuneproof.records import Row


def tell_turns(row: Row) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in row.messages]


PLAIN = [("user", "q"), ("assistant", "a")]
SHAPES: list[tuple[object, list[tuple[str, str]]]] = [
    ({"instruction": "q", "input": "", "output": "a"}, PLAIN),
    ({"instruction": "q", "input": "x", "output": "a"}, [("user", "q\nx"), ("assistant", "a")]),
    ({"instruction": "q", "input": None, "output": "a", "system": None, "history": []}, PLAIN),
    ({"instruction": "", "input": "q", "output": "a"}, PLAIN),
    ({"input": "q", "output": "a"}, PLAIN),
    (
        {"instruction": "q", "output": "a", "history": [["p", "b"]], "system": "s"},
        [("system", "s"), ("user", "p"), ("assistant", "b"), *PLAIN],
    ),
    ({"prompt": "q", "completion": "a"}, PLAIN),
    (
        {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]},
        PLAIN,
    ),
    ({"question": "q", "answer": "a", "id": 7}, PLAIN),
    ({"Query": "q", "Response": "a"}, PLAIN),
    ({"text": "q", "label": "a"}, PLAIN),
    ({"指令": "q", "输入": "", "输出": "a"}, PLAIN),
    ({"问题": "q", "回答": "a"}, PLAIN),
    ({"问": "q", "答": "a"}, PLAIN),
    ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, PLAIN),
    ({"conversation": [{"human": "q", "assistant": "a"}]}, PLAIN),
    ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, PLAIN),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, {"role": "model", "content": "a"}]},
        PLAIN,
    ),
    (
        {
            "conversations": [
                {"from": "system", "value": "s"},
                {"from": "human", "value": "q"},
                {"from": "function_call", "value": '{"name": "f"}'},
                {"from": "observation", "value": "42"},
                {"from": "gpt", "value": "a"},
            ],
            "tools": '[{"name": "f"}]',
        },
        [
            ("system", 's\n\n[{"name": "f"}]'),
            ("user", "q"),
            ("assistant", '{"name": "f"}'),
            ("tool", "42"),
            ("assistant", "a"),
        ],
    ),
    (
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"x": 1.50}}]},
                {"role": "tool", "content": "42"},
                {"role": "assistant", "content": "a"},
            ]
        },
        [
            ("user", "q"),
            ("assistant", '[{"name": "f", "arguments": {"x": 1.5}}]'),
            ("tool", "42"),
            ("assistant", "a"),
        ],
    ),
]


@pytest.mark.parametrize(("record", "turns"), SHAPES)
def test_a_shape_is_read_without_a_flag(tmp_path: Path, record: object, turns: list[tuple[str, str]]) -> None:
    result = read_text(tmp_path, json.dumps(record, ensure_ascii=False))
    assert [tell_turns(row) for row in result.rows] == [turns]
    assert result.findings == []


RECORDS = [{"instruction": f"q{number}", "output": f"a{number}"} for number in range(3)]
CONTAINERS = {
    "rows.jsonl": "\n".join(json.dumps(record) for record in RECORDS) + "\n",
    "blank.jsonl": "\n\n".join(json.dumps(record) for record in RECORDS) + "\n \n",
    "windows.jsonl": "\r\n".join(json.dumps(record) for record in RECORDS),
    "mark.jsonl": "\ufeff" + "\n".join(json.dumps(record) for record in RECORDS),
    "array.jsonl": json.dumps(RECORDS),
    "array.json": json.dumps(RECORDS, indent=2),
    "mark.json": "\ufeff" + json.dumps(RECORDS),
    "UPPER.JSON": json.dumps(RECORDS),
    "object.json": json.dumps({"version": 1, "data": RECORDS, "tags": []}),
    "lines.json": "\n".join(json.dumps(record) for record in RECORDS),
    "rows.csv": "instruction,output\n" + "\n".join(f"q{number},a{number}" for number in range(3)),
    "sheet.csv": "\ufeffinstruction;output\r\n" + "\r\n".join(f"q{number};a{number}" for number in range(3)),
    "rows.tsv": "instruction\toutput\n" + "\n".join(f"q{number}\ta{number}" for number in range(3)) + "\n\n",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_read_by_what_it_is(tmp_path: Path, name: str, packed: bool) -> None:
    raw = CONTAINERS[name].encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    result = read_file(path)
    assert [tell_turns(row) for row in result.rows] == [[("user", f"q{n}"), ("assistant", f"a{n}")] for n in range(3)]
    assert {row.task for row in result.rows} == {name.rsplit(".", 1)[0]}
    assert (result.total, result.findings) == (3, [])


def test_one_object_is_one_row(tmp_path: Path) -> None:
    assert len(read_text(tmp_path, json.dumps(RECORDS[0], indent=1), "one.json").rows) == 1


STRANGE = [
    *("2024-01-05", "2024-01-05T00:00:00Z", "NaN", "null", "None", "true", "007", "1e400", "1_000", "-0", "+1", "0x1F"),
    *(
        "line\u2028end",
        "a\u0085b",
        "👩\u200d💻 🇨🇳",
        "שלום עולם",
        "  spaces  ",
        "tab\there",
        "two\r\nlines",
        "\u0000",
        "𠮷",
    ),
    *("\u00e9", "e\u0301", "ｆｕｌｌ", "<|im_end|>", "{{ jinja }}", "a\\nb", '"quoted"', "\ufffe", "x" * 70_000),
]


@pytest.mark.parametrize("escaped", [False, True])
def test_text_stays_as_it_is_written(tmp_path: Path, escaped: bool) -> None:
    text = "\n".join(json.dumps({"instruction": s, "output": s}, ensure_ascii=escaped) for s in STRANGE)
    result = read_text(tmp_path, text)
    assert [tell_turns(row) for row in result.rows] == [[("user", s), ("assistant", s)] for s in STRANGE]


def test_cells_stay_as_they_are_written(tmp_path: Path) -> None:
    cells = [text for text in STRANGE if "\0" not in text]
    quoted = ['"' + text.replace('"', '""') + '"' for text in cells]
    result = read_text(tmp_path, "question,answer\n" + "\n".join(f"{cell},{cell}" for cell in quoted), "rows.csv")
    assert [row.reference for row in result.rows] == cells


def test_numbers_and_booleans_become_their_json_text(tmp_path: Path) -> None:
    for value in ("1e400", "1.10", "-0.0", "12345678901234567890123", "9" * 5000, "true", "false"):
        result = read_text(tmp_path, f'{{"question": "q", "answer": {value}}}')
        assert result.rows[0].reference == value


def test_a_gb18030_file_is_read_when_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"问题": "你好吗？", "回答": "我很好，谢谢。"}\n'.encode("gb18030"))
    assert read_file(path, encoding="gb18030").rows[0].reference == "我很好，谢谢。"
    path.write_bytes('{"问题": "你好吗？", "回答": "我很好，谢谢。"}\n'.encode("utf-16"))
    assert read_file(path, encoding="utf-16").rows[0].reference == "我很好，谢谢。"


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_foreign_encoding_is_proposed(tmp_path: Path, name: str, encoding: str) -> None:
    rows = [{"问题": f"第{number}个问题：你好吗？", "回答": f"我很好，谢谢您的关心{number}。"} for number in range(5)]
    text = {
        "rows.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "rows.json": json.dumps(rows, ensure_ascii=False),
        "rows.csv": "问题,回答\n" + "\n".join(",".join(row.values()) for row in rows),
    }[name]
    (tmp_path / name).write_bytes(text.encode(encoding))
    with pytest.raises(DataError) as caught:
        read_file(tmp_path / name)
    assert caught.value.key == "data.wrong_encoding"
    assert f"--set data.encoding={encoding}" in caught.value.hint()


def test_ids_outlive_appending_shuffling_and_moving(tmp_path: Path) -> None:
    lines = [json.dumps({"instruction": f"q{number % 7}", "output": "a"}) for number in range(10)]
    before = {row.id for row in read_text(tmp_path, "\n".join(lines)).rows}
    lines += [json.dumps({"instruction": "new", "output": "a"})]
    random.Random(0).shuffle(lines)
    (tmp_path / "moved").mkdir()
    after = {row.id for row in read_text(tmp_path / "moved", "\n".join(lines)).rows}
    assert len(before) == 10
    assert before < after


def test_files_of_a_folder_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv", "notes.txt"):
        (tmp_path / name).write_text("question,answer\nq,a\n" if name == "a.csv" else CONTAINERS["rows.jsonl"], "utf-8")
    result = read_file(tmp_path)
    assert [Path(file).name for file in result.files] == ["a.csv", "b.jsonl"]
    assert [row.task for row in result.rows] == ["a", "b", "b", "b"]


def test_task_and_required_come_from_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    record = {"q": "q", "a": "a", "task": "one", "family": "two", "required": ["QM-1", "42"]}
    path.write_text(json.dumps(record), "utf-8")
    assert (read_file(path).rows[0].task, read_file(path).rows[0].required) == ("one", ["QM-1", "42"])
    named = read_rows([path], columns=None, task="family", system_prompt="Be brief.", encoding=None).rows[0]
    assert named.task == "two"
    assert tell_turns(named)[0] == ("system", "Be brief.")


def test_the_users_columns_win_over_guesses(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "wrong", "ask": "right", "reply": "a"}', "utf-8")
    assert read_file(path, columns={"instruction": "ask"}).rows[0].question == "right"


def test_turns_behind_the_last_answer_are_left_out_and_named(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}, {"from": "human", "value": "more"}]
    result = read_text(tmp_path, json.dumps({"conversations": turns}))
    assert tell_turns(result.rows[0]) == PLAIN
    assert [(found.kind, found.severity) for found in result.findings] == [("missing_field", "warning")]


def test_a_fault_names_file_line_and_column(tmp_path: Path) -> None:
    """Of a line the column of the fault or field; of an array's record the number, and the place in words."""
    lines = [
        '{"question": "q", "answer": "a"}',
        '  {"question": "q", "answer": [7]}',
        '{"question": "q" "answer": "a"}',
    ]
    found = read_text(tmp_path, "\n".join(lines), "rows.jsonl").findings
    assert [finding.place for finding in found] == [f"{tmp_path / 'rows.jsonl'}:{place}" for place in ("2:21", "3:18")]
    assert [finding.column for finding in found] == [21, 18]
    (found,) = [read_text(tmp_path, "[" + ",\n".join([*lines[:1], *lines[2:]]) + "]", "rows.json").findings]
    assert [(finding.line, finding.column) for finding in found] == [(2, None)]
    assert "Line 2 of the file. Column 18" in found[0].message
    assert found[0].told("zh")[0].startswith("文件第 2 行。第 18 列")


def test_what_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "q", "answer": "a"}', "utf-8")
    (tmp_path / "rows.xml").write_text("<rows/>", "utf-8")
    (tmp_path / "empty").mkdir()

    def fail(*files: Path, columns: dict[str, str] | None = None, task: str = "", encoding: str = "utf-8") -> str:
        with pytest.raises(UsageError) as caught:
            read_rows(files, columns=columns, task=task, system_prompt=None, encoding=encoding)
        assert caught.value.message("zh") != caught.value.message("en")
        return f"{caught.value.key} {caught.value.where}"

    assert fail() == "data.no_file None"
    assert fail(tmp_path / "no.jsonl") == f"data.missing_file {tmp_path / 'no.jsonl'}"
    assert fail(tmp_path / "rows.xml") == f"data.unknown_extension {tmp_path / 'rows.xml'}"
    assert fail(tmp_path / "empty") == f"data.empty_folder {tmp_path / 'empty'}"
    assert fail(path, encoding="klingon") == "data.unknown_encoding data.encoding"
    assert fail(path, columns={"instruktion": "q"}) == "data.unknown_column data.columns.instruktion"
    assert fail(path, columns={"output": "reply"}) == "data.missing_column data.columns.output"
    assert fail(path, task="family") == "data.missing_column data.task"


def test_a_wrong_shape_names_the_columns_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_text(tmp_path, '{"title": "t", "body": "b"}\n{"title": "t", "body": "b"}')
    assert caught.value.key == "data.unknown_shape"
    assert "title, body" in caught.value.message()
    assert "--set data.columns.instruction=" in caught.value.hint()


@pytest.mark.parametrize("text", ["7", '"text"', "null", '{"a": 1, "b": [1], "c": [2]}', "{", "hello"])
def test_a_json_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as caught:
        read_text(tmp_path, text, "rows.json")
    assert (caught.value.key, caught.value.where) == ("data.one_fault", f"{tmp_path / 'rows.json'}:1")
    assert caught.value.hint() not in ("", caught.value.message())


def test_a_file_without_a_usable_row_tells_the_first_reasons(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_text(tmp_path, '{"question": "q", \n{"question": "q", "answer": [1]}\n')
    assert caught.value.key == "data.no_usable_row"
    assert caught.value.where == f"{tmp_path / 'rows.jsonl'}:1"
    assert "rows.jsonl:2" in caught.value.message()
    for empty in ("", "\n\n", "[]"):
        with pytest.raises(DataError) as caught:
            read_text(tmp_path, empty, "rows.json")
        assert caught.value.key == "data.empty_file"
