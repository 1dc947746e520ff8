"""Files -> rows: one conversation a row, every record that cannot be used named with its place and the reason.

In: `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.xlsx`, each also `.gz`, folders of them, or data sets of a hub
(sources.py); shapes need no flag (convert.py). Out: `ReadResult`. Text reaches the rows byte for byte apart from what
convert.py declares, and cells.py for values that are no text.

    read_rows([Path("rows.jsonl")], columns=None, task=None, system_prompt=None, encoding=None).rows
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneproof.data.columns import check_found, check_given, name_columns
from tuneproof.data.convert import RowFault, add_answer, convert_record
from tuneproof.data.decode import check_encoding, file_kind, find_wide_encoding, read_sample
from tuneproof.data.detect import find_disguise
from tuneproof.data.excel import read_excel
from tuneproof.data.findings import Value, make_finding, plain_text
from tuneproof.data.layout import read_json
from tuneproof.data.parquet import read_parquet
from tuneproof.data.parse import Record, find_field
from tuneproof.data.plain import read_plain
from tuneproof.data.sources import file_stem, list_sources
from tuneproof.data.store import PART_ROWS, Store
from tuneproof.data.table import read_table
from tuneproof.errors import DataError
from tuneproof.progress import Progress, Quiet
from tuneproof.records import Finding, Message, Row
from tuneproof.records.data import Severity

Readers = Mapping[str, Callable[[Path, str | None], Iterator[Record | Finding]]]
READERS: Readers = {
    ".json": read_json,
    ".jsonl": read_json,
    ".csv": read_table,
    ".tsv": read_table,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
}
QUESTION_READERS: Readers = {**READERS, ".txt": read_plain}
"""Questions alone need no columns."""
BINARY = (".parquet", ".xlsx")
"""Files that are no text."""
REASONS_TOLD = 3
"""Findings that the error of data without any usable row repeats."""


@dataclass
class ReadResult:
    """What reading found: rows in file order, and a finding for each record that is none."""

    rows: Sequence[Row] = ()
    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    """Records seen, usable or not."""
    files: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    """File -> the name that it was asked for by: itself, its folder, a data set."""
    left_out: list[str] = field(default_factory=list)
    """What lies in a folder or data set and is not read."""


def read_rows(
    files: Sequence[Path],
    *,
    columns: Mapping[str, str] | None,
    task: str | None,
    system_prompt: str | None,
    encoding: str | None,
    answered: bool = True,
) -> ReadResult:
    """All rows of `files`.

    `columns`: {our name: the file's name} where guessing fails; `task`: the column that names a row's task (default:
    the column `task`, else the file's stem); `encoding`: of all files, default UTF-8 with or without byte order mark;
    `answered=False`: questions to be answered, so `.txt` is read too, an answer may be missing (it is then empty), and
    so may columns that are given.
    Raises UsageError for a file, column or encoding that does not exist, DataError when no row is usable.
    """
    reader = make_reader(columns=columns, task=task, system_prompt=system_prompt, encoding=encoding)
    reader.answered = answered
    return read_files(files, reader, Quiet())


def make_reader(
    *, columns: Mapping[str, str] | None, task: str | None, system_prompt: str | None, encoding: str | None
) -> Reader:
    """A reader for files of rows. Arguments and UsageError as of `read_rows`."""
    given = {**(columns or {}), **({"task": task} if task else {})}
    check_given(given)
    check_encoding(encoding)
    return Reader(given, system_prompt, encoding, task=task)


def read_files(
    files: Sequence[Path], reader: Reader, progress: Progress, watch: Callable[[Store], None] | None = None
) -> ReadResult:
    """As `read_rows`, with a reader of one's own; tells how many rows are behind, and `watch` that a part is full."""
    store, result = Store(), ReadResult()
    sources = list_sources(files, reader.readers)
    result.left_out += map(plain_text, sources.left_out)
    progress.begin("read")
    for path, name in sources.files.items():
        result.files.append(plain_text(str(path)))
        result.origins[result.files[-1]] = name
        for item in reader.read_file(path):
            if isinstance(item, Row):
                store.add(item)
                if len(store) % PART_ROWS == 0:
                    progress.advance(len(store))
                    if watch:
                        watch(store)
            else:
                result.findings.append(item)
    progress.end("read")
    reader.seen.clear()
    if reader.answered:
        check_found(reader.given, {key for keys in reader.names for key in keys}, reader.task)
    if not store:
        raise explain_nothing(result)
    result.rows = store
    result.total = len(store) + sum(finding.severity == "error" for finding in result.findings)
    return result


@dataclass
class Reader:
    """Turns records into rows, one file after the other; remembers the texts it has seen, for the ids."""

    given: Mapping[str, str]
    system_prompt: str | None
    encoding: str | None
    answered: bool = True
    names: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    """Keys of a record -> {our name: the file's name}: guessed once for all records with these keys."""
    seen: Counter[str] = field(default_factory=Counter)
    files: dict[Path, tuple[str, str, str]] = field(default_factory=dict)
    task: str | None = None
    """The column of the task as the user named it."""

    @property
    def readers(self) -> Readers:
        """How each kind of file is read."""
        return READERS if self.answered else QUESTION_READERS

    def read_file(self, path: Path) -> Iterator[Row | Finding]:
        """The rows of one file, and what is wrong with the records that are none."""
        fault = self.check_start(path)
        if fault:
            yield make_finding("bad_encoding", "error", (str(path), 1), fault)
            return
        empty = True
        for item in self.readers[file_kind(path)](path, self.encoding):
            empty = False
            if isinstance(item, Record):
                yield from self.read_record(path, item)
            else:
                yield item
        if empty:
            yield make_finding("too_few_rows", "warning", (str(path), 1), {"variant": "empty_file"})

    def check_start(self, path: Path) -> dict[str, Value] | None:
        """What the first bytes say against reading the file as what its name says."""
        found = find_disguise(path)
        if found:
            return {"variant": "disguise", "found": found, "ending": "".join(path.suffixes[-2:])}
        wide = None if self.encoding or file_kind(path) in BINARY else find_wide_encoding(read_sample(path))
        return {"variant": "looks_like", "encoding": wide} if wide else None

    def read_record(self, path: Path, record: Record) -> Iterator[Row | Finding]:
        """The row of one record, and findings about it."""
        keys = tuple(record.fields)
        if keys not in self.names:
            self.names[keys] = name_columns(keys, self.given if self.answered else self.find_given(keys))
        try:
            fields, names = self.complete(record.fields, self.names[keys])
            draft = convert_record(fields, names, self.system_prompt)
        except RowFault as fault:
            yield tell_fault(fault, path, record, "error")
            return
        except RecursionError:
            yield tell_fault(RowFault("bad_json", variant="too_deep", column=1), path, record, "error")
            return
        for oddity in draft.oddities:
            yield tell_fault(oddity, path, record, "warning")
        name, file, stem = self.name_file(path)
        yield Row(
            id=self.make_id(name, draft.messages),
            file=file,
            line=record.line,
            task=draft.task or stem,
            messages=draft.messages,
            required=draft.required,
        )

    def complete(
        self, fields: Mapping[str, object], names: Mapping[str, str]
    ) -> tuple[Mapping[str, object], Mapping[str, str]]:
        """The fields and columns of a record; of a question with an answer, an empty one where it has none."""
        return (fields, names) if self.answered else add_answer(fields, names)

    def find_given(self, keys: Sequence[str]) -> dict[str, str]:
        """The given columns that are among `keys`."""
        return {ours: theirs for ours, theirs in self.given.items() if theirs in keys}

    def name_file(self, path: Path) -> tuple[str, str, str]:
        """A file's own name, its path as it is shown, and its name without the ending: found once a file."""
        if path not in self.files:
            self.files[path] = plain_text(path.name), plain_text(str(path)), file_stem(path)
        return self.files[path]

    def make_id(self, file: str, messages: Sequence[Message]) -> str:
        """12 hex digits of the file's name, the text, and how often that name and text came before.

        So a row keeps its id when rows are appended, the file is shuffled, or its folder moves.
        """
        parts = [part for message in messages for part in (message.role, " ".join(message.content.split()))]
        text = "\x1f".join([file, *parts])
        text = text if text.isascii() else unicodedata.normalize("NFC", text)
        name = hash_text(text)
        count = self.seen[name]
        self.seen[name] += 1
        return hash_text(f"{text}\x1f{count}") if count else name


def hash_text(text: str) -> str:
    """The first 12 hex digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def tell_fault(fault: RowFault, path: Path, record: Record, severity: Severity) -> Finding:
    """The finding for a fault of one record."""
    finding = make_finding(fault.kind, severity, (str(path), record.line), fault.values)
    column = find_field(record, str(fault.values.get("column", "")))
    return finding.model_copy(update={"column": column})


def list_files(files: Sequence[Path], readers: Readers) -> list[Path]:
    """The files, with those of folders and data sets. Raises UsageError for what is not there."""
    return list(list_sources(files, readers).files)


def explain_nothing(result: ReadResult) -> DataError:
    """The error of data without any usable row: its main cause, and the first reasons."""
    first = next((finding for finding in result.findings if finding.severity == "error"), result.findings[0])
    where = f"{first.file}:{first.line}"
    variant = str(first.values.get("variant", ""))
    if variant == "empty_file":
        return DataError("data.empty_file", where=first.file)
    if first.kind == "bad_encoding" and variant == "looks_like":
        return DataError("data.wrong_encoding", where=where, encoding=first.values["encoding"])
    if first.kind == "missing_field" and variant == "columns":
        return DataError("data.unknown_shape", where=where, columns=first.values["columns"])
    if len(result.findings) == 1:
        return DataError("data.one_fault", where=first.place, message=first.message, fix=first.fix)
    reasons = [f"{finding.place}: {finding.message}" for finding in result.findings[:REASONS_TOLD]]
    count = len(result.findings)
    return DataError("data.no_usable_row", where=where, count=count, reasons="\n".join(reasons))
