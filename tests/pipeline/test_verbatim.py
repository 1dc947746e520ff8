"""Text reaches the model byte for byte: what stands in a file of any kind stands in the prompt that is trained."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.broken import make_parquet, make_rows, make_workbook
from tests.data.test_read import STRANGE
from tuneproof.data.read import read_rows
from tuneproof.model.chat import encode_row
from tuneproof.model.load import load_tokenizer

PLAIN = [text for text in STRANGE if not set(text) & {"\0", "\ufffe"}]
"""What a table of text can hold."""


def write_table(texts: list[str], delimiter: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([("question", "answer"), *[(text, text) for text in texts]])
    return buffer.getvalue().encode()


def write_objects(texts: list[str]) -> list[dict[str, str]]:
    return [{"question": text, "answer": text} for text in texts]


KINDS: dict[str, tuple[list[str], Callable[[list[str]], bytes]]] = {
    "rows.jsonl": (STRANGE, lambda texts: "\n".join(map(json.dumps, write_objects(texts))).encode()),
    "rows.json": (STRANGE, lambda texts: json.dumps(write_objects(texts), ensure_ascii=False, indent=1).encode()),
    "rows.csv": (PLAIN, lambda texts: write_table(texts, ",")),
    "rows.tsv": (PLAIN, lambda texts: write_table(texts, "\t")),
    "rows.parquet": (STRANGE, lambda texts: make_parquet({"question": texts, "answer": texts})),
    "rows.xlsx": (
        PLAIN,
        lambda texts: make_workbook(faq=make_rows(("question", "answer"), *[(text, text) for text in texts])),
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_text_reaches_the_model_byte_for_byte(tmp_path: Path, tiny_model_dir: Path, name: str, packed: bool) -> None:
    if name.endswith((".parquet", ".xlsx")):
        pytest.importorskip("pyarrow" if name.endswith(".parquet") else "python_calamine")
    texts, write = KINDS[name]
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(write(texts)) if packed else write(texts))
    rows = read_rows([path], columns=None, task=None, system_prompt=None, encoding=None).rows
    tokenizer = load_tokenizer(str(tiny_model_dir))
    told = [tokenizer.decode(encode_row(tokenizer, row.messages).ids) for row in rows]
    asked = [f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{text}<|im_end|>" for text in texts]
    assert [text in prompt for text, prompt in zip(asked, told, strict=True)] == [True] * len(texts)
