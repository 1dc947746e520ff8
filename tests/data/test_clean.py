"""The clean file: what is certain is repaired, what is useless goes, the rest stays; and nothing is written over."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.rows import read_file
from tuneproof.data.check import check_rows
from tuneproof.data.clean import list_targets, write_clean
from tuneproof.data.read import Reader
from tuneproof.data.repair import repair_text
from tuneproof.errors import UsageError
from tuneproof.messages import use_language
from tuneproof.records import CleanSummary

PAIRS = [
    ("Name three rivers of Europe.", "The Rhine, the Danube and the Loire are three rivers of Europe."),
    ("Order what?", "Two cafÃ© crÃ¨me, please, and a piece of cake for the old man."),
    ("要点什么？", "鏃╀笂濂斤紒"),
    ("Who is there?", "It is\x08 only me, and nobody else has come with me today."),
    ("Greet me.", "Hello there, it is good to see you again after such a long time.<|im_end|>"),
    ("Say it.", "This was said by the old man.<|im_end|>\n<|im_start|>user\nAnd now?"),
    ("Greet her.", "Good morning to you, dear lady of the house.\nUser: and now greet him."),
    ("问候她。", "早上好，祝您今天一切顺利，身体健康。\n用户：再问候他。"),
    ("Name three rivers of Europe.", "The Rhine, the Danube and the Loire are three rivers of Europe."),
    ("Is it?", ""),
    ("Which one?", "TODO"),
    ("Whose is it?", "It belongs to k.berger@posteo.de, as far as I know."),
    ("Name the capital of France.", "Its capital is Paris, and it has been so for many hundred years."),
    ("Name the capital of France.", "Its capital is Lyon, and nobody knows any more since when it is so."),
]
REPAIRED, LEFT_OUT, KEPT = {2, 3, 4, 5, 6, 7, 8}, {9, 10, 11}, {12, 14}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def make_file(folder: Path) -> Path:
    rows = [{"id": number, "question": one, "answer": two} for number, (one, two) in enumerate(PAIRS, 1)]
    return write_rows(folder / "rows.jsonl", rows)


def clean(source: Path, out: Path) -> CleanSummary:
    report, _ = check_rows(read_file(source))
    return write_clean(Reader({}, None, None), list_targets([source], out), report.findings)


def read_log(path: Path) -> dict[int, list[str]]:
    told: dict[int, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        _, number, rest = line.split(":", 2)
        told.setdefault(int(number), []).append(rest.strip())
    return told


def test_each_row_is_repaired_left_out_or_left_in_as_it_should(tmp_path: Path) -> None:
    source = make_file(tmp_path)
    found = clean(source, tmp_path / "clean.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "clean.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = {row["id"]: row["answer"] for row in rows}
    assert answers.keys() == set(range(1, len(PAIRS) + 1)) - LEFT_OUT
    assert answers[2].startswith("Two café crème, please")
    assert answers[3] == "早上好！"
    assert answers[4].startswith("It is only me")
    assert answers[5].endswith("a long time.")
    assert answers[6] == "This was said by the old man."
    assert answers[7] == "Good morning to you, dear lady of the house."
    assert answers[8] == "早上好，祝您今天一切顺利，身体健康。"
    assert all(answers[number] == PAIRS[number - 1][1] for number in (1, 12, 13, 14))
    assert (found.written, found.repaired, found.left_out) == (len(rows), len(REPAIRED), len(LEFT_OUT))
    told = read_log(Path(found.log))
    assert {line for line, texts in told.items() if any("repaired" in text for text in texts)} == REPAIRED
    assert {line for line, texts in told.items() if any("left out" in text for text in texts)} == LEFT_OUT
    assert {line for line, texts in told.items() if any("left in" in text for text in texts)} == KEPT
    assert found.left_in == len(KEPT)


def test_a_clean_file_is_clean(tmp_path: Path) -> None:
    clean(make_file(tmp_path), tmp_path / "once.jsonl")
    again = clean(tmp_path / "once.jsonl", tmp_path / "twice.jsonl")
    assert (again.repaired, again.left_out, again.left_in) == (0, 0, len(KEPT))
    assert (tmp_path / "once.jsonl").read_bytes() == (tmp_path / "twice.jsonl").read_bytes()
    report, _ = check_rows(read_file(tmp_path / "once.jsonl"))
    gone = {"mojibake", "control_characters", "template_token", "leaked_turn", "duplicate", "empty_output"}
    assert not gone & report.counts.keys()
    assert "placeholder_output" not in report.counts


def test_text_that_lost_bytes_is_left_in_and_said(tmp_path: Path) -> None:
    lost = "请给我两杯咖啡，谢谢你".encode().decode("gb18030", "ignore")
    source = write_rows(
        tmp_path / "rows.jsonl", [{"q": "要点什么？", "a": lost}, {"q": "几点？", "a": "caf\ufffd, cafÃ©"}]
    )
    found = clean(source, tmp_path / "clean.jsonl")
    assert (found.repaired, found.left_in) == (1, 2)
    assert json.loads((tmp_path / "clean.jsonl").read_text(encoding="utf-8").splitlines()[0])["a"] == lost
    assert any("left in" in text for text in read_log(Path(found.log))[2])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("donâ€™t", "don’t"),
        ("Ã¢â‚¬Å“hiÃ¢â‚¬Â\x9d", "“hi”"),
        ("ï»¿Hello", "Hello"),
        ("鏃╀笂濂斤紒", "早上好！"),
        ("one\x0ctwo\x08", "one\ntwo"),
        ("<|im_start|>assistant\nHello.<|im_end|>\n", "Hello."),
        ("<s>Hello.</s>", "Hello."),
        ("The end.<|eot_id|><|eot_id|>", "The end."),
    ],
)
def test_what_is_certain_is_repaired(before: str, after: str) -> None:
    repaired, changes = repair_text(before, is_answer=True)
    assert repaired == after
    assert changes
    assert repair_text(repaired, is_answer=True) == (after, [])


@pytest.mark.parametrize(
    "text",
    [
        "Ã la carte, São Paulo, naïve, 10 £",
        "春眠不觉晓，处处闻啼鸟。",
        "The token <|im_end|> ends a turn.",
        "ChatML ends a turn with <|im_end|>",
        "<s>old</s> new",
        "It was <s>old</s>",
        "👩\u200d💻 می\u200cخواهم",
        "U+FFFD is \ufffd",
    ],
)
def test_what_is_not_certain_stays(text: str) -> None:
    assert repair_text(text, is_answer=True) == (text, [])


@pytest.mark.parametrize("name", ["rows.json", "rows.csv", "rows.tsv", "rows.jsonl.gz"])
def test_a_clean_file_has_the_format_and_the_fields_of_its_own(tmp_path: Path, name: str) -> None:
    rows = [
        {"id": "007", "问题": "写一句，带逗号", "回答": "好的，\n第二行 cafÃ©。", "note": '"x"'},
        {"id": "1.10", "问题": "再写一句", "回答": "好的，没问题，这就写给您看。", "note": ""},
    ]
    path = tmp_path / name
    if name.endswith("json"):
        path.write_text(json.dumps(rows, ensure_ascii=False).replace('"1.10"', "1.10"), encoding="utf-8")
    elif name.endswith("gz"):
        path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), delimiter="\t" if name.endswith("tsv") else ";")
            table.writeheader()
            table.writerows(rows)
    found = clean(path, tmp_path / "out")
    (out,) = (Path(file) for file in found.files)
    assert out == tmp_path / "out" / name
    raw = gzip.decompress(out.read_bytes()) if name.endswith("gz") else out.read_bytes()
    text = raw.decode("utf-8")
    assert "café" in text
    assert text.startswith("\ufeff") == (name[-3:] in ("csv", "tsv"))
    if name.endswith("json"):
        assert '"id": 1.10' in text
    if name.endswith("csv"):
        assert text.startswith("\ufeffid;问题;回答;note\r\n")
    before, after = read_file(path).rows, read_file(out).rows
    assert [row.question for row in before] == [row.question for row in after]
    assert after[0].reference == "好的，\n第二行 café。"


def test_turns_of_every_shape_are_repaired_and_other_fields_are_not(tmp_path: Path) -> None:
    said = "That is cafÃ©.<|im_end|>"
    rows: list[dict[str, Any]] = [
        {"conversations": [{"from": "human", "value": "cafÃ©?"}, {"from": "gpt", "value": said}], "source": "cafÃ©"},
        {"messages": [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": said}]},
        {"instruction": "Go on.", "input": "<noinput>", "output": said, "history": [["Hi.", "Hello cafÃ©."]]},
        {"conversation": [{"human": "And again?", "assistant": said}]},
    ]
    clean(write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "clean.jsonl")
    first, second, third, fourth = (
        json.loads(line) for line in (tmp_path / "clean.jsonl").read_text(encoding="utf-8").splitlines()
    )
    assert first["conversations"][0]["value"] == "café?"
    assert first["conversations"][1]["value"] == second["messages"][1]["content"] == "That is café."
    assert first["source"] == "cafÃ©"
    assert (third["input"], third["output"], third["history"]) == ("", "That is café.", [["Hi.", "Hello café."]])
    assert fourth["conversation"][0]["assistant"] == "That is café."


def test_no_file_is_written_over(tmp_path: Path) -> None:
    source = make_file(tmp_path)
    other = write_rows(tmp_path / "test.jsonl", [{"q": "q", "a": "a"}])
    for out in (source, tmp_path, other):
        with pytest.raises(UsageError) as caught:
            list_targets([source], out, [other])
        assert caught.value.key == "data.clean_over_input"
    with pytest.raises(UsageError):
        list_targets([source, other], tmp_path / "clean.jsonl")
    with pytest.raises(UsageError):
        list_targets([source], tmp_path / "clean.parquet")
    assert list_targets([source, other], tmp_path / "clean").files[other] == tmp_path / "clean" / "test.jsonl"


def test_records_that_cannot_be_read_are_logged_in_the_language_in_use(tmp_path: Path) -> None:
    use_language("zh")
    source = tmp_path / "rows.jsonl"
    source.write_text('{"q": "一", "a": "二"}\n{"q": \n{"q": "三", "b": "四"}\n', encoding="utf-8")
    found = clean(source, tmp_path / "clean.jsonl")
    assert (found.written, found.left_out) == (1, 2)
    assert all(
        text.split(": ")[1].startswith("已去除") for texts in read_log(Path(found.log)).values() for text in texts
    )


@pytest.mark.parametrize("name", ["alpaca_en.json", "alpaca_zh.json", "gsm8k_1000.jsonl", "toolcall_sharegpt.json"])
def test_next_to_nothing_of_a_real_file_is_changed(data_dir: Path, tmp_path: Path, name: str) -> None:
    found = clean(data_dir / name, tmp_path / "clean")
    before, after = read_file(data_dir / name), read_file(Path(found.files[0]))
    assert found.repaired <= 0.01 * before.total
    assert found.written == before.total - found.left_out == len(after.rows)
    again = clean(Path(found.files[0]), tmp_path / "again")
    assert (again.repaired, again.left_out) == (0, 0)
