"""The clean file of `tuneproof check --write-clean PATH`: safe repairs made, useless rows left out, all of it logged.

Repaired is what repair.py is certain of. Left out are records that cannot be read, empty and placeholder rows, and
exact copies but for the first. What only the user can decide (contradictions, data about people, wrong sums) stays in,
and the log says so. A clean file cleaned again is the same file.

In: a reader, the files, where to write. Out: the files and a log beside them: a line a change, `file:line: kind: ...`.

    write_clean(Reader({}, None, None), [Path("rows.jsonl")], list_targets([Path("rows.jsonl")], Path("clean.jsonl")))
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tuneproof.data.answers import find_empty_instruction, find_empty_output, find_leaked_turns
from tuneproof.data.balance import find_placeholders
from tuneproof.data.columns import name_columns
from tuneproof.data.copies import find_duplicates
from tuneproof.data.decode import file_kind, read_sample, read_start
from tuneproof.data.findings import make_case, plain_text, quote_text
from tuneproof.data.parse import Record
from tuneproof.data.read import Reader
from tuneproof.data.repair import Change, cut_turn, repair_record
from tuneproof.data.store import fill_store
from tuneproof.data.table import find_delimiter
from tuneproof.data.text import find_control_characters, find_mojibake, find_template_tokens
from tuneproof.data.traits import Cases, gather_cases
from tuneproof.data.write import KINDS, Shape, open_whole, write_records
from tuneproof.errors import UsageError
from tuneproof.messages import tell
from tuneproof.records import CleanSummary, Finding, Row

Place = tuple[str, int]
"""(file as shown, line)."""
LOG = ".log"
TABLES = (".csv", ".tsv")
SETTLED = (find_mojibake, find_control_characters, find_template_tokens, find_leaked_turns)
NOT_OF_A_ROW = {"near_duplicate", "too_few_rows", "templated_output", "label_imbalance", "bad_json"}
"""Kinds that are about the set, need nothing to be done, or are gone as soon as the file is written anew."""


class Targets(NamedTuple):
    """Where the clean files go: input -> output, and their log."""

    files: dict[Path, Path]
    log: Path


@dataclass
class Notes:
    """What happens to each record, by place."""

    repaired: dict[Place, list[Change]] = field(default_factory=dict)
    remaining: dict[Place, set[str]] = field(default_factory=dict)
    """Kinds that a repair was made for and that are found all the same."""
    left_out: dict[Place, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    columns: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """File -> the names of its fields, in the order in which they come."""


def list_targets(inputs: Sequence[Path], out: Path, others: Sequence[Path] = ()) -> Targets:
    """Where each input's clean file goes: `out` itself, or a file of the same name in the folder `out`.

    Raises UsageError where that would be an input file (or one of `others`), or a file that rows are not read from.
    """
    is_folder = out.is_dir() or not out.suffix
    if not is_folder and file_kind(out) not in KINDS:
        raise UsageError("data.clean_kind", where=str(out), known=" ".join([*KINDS, ".gz"]))
    if not is_folder and len(inputs) > 1:
        raise UsageError("data.clean_folder", where=str(out), count=len(inputs))
    files: dict[Path, Path] = {}
    for path in inputs:
        name = path.name if file_kind(path) in KINDS else f"{path.name.split('.')[0]}.jsonl"
        files[path] = out / name if is_folder else out
    log = out / f"clean{LOG}" if is_folder else out.with_name(out.name + LOG)
    taken = {path.resolve() for path in (*inputs, *others)}
    for target in files.values():
        if target.resolve() in taken:
            raise UsageError("data.clean_over_input", where=str(target))
        taken.add(target.resolve())
    return Targets(files, log)


def write_clean(reader: Reader, targets: Targets, findings: Sequence[Finding]) -> CleanSummary:
    """Write the clean files and their log. `findings`: of the rows as they are; those that stay are logged as such."""
    notes = Notes()
    store = fill_store(row for path in targets.files for _, row in repair_file(reader, path, notes))
    leave_out(gather_cases(store), notes)
    written = sum(write_file(reader, source, target, notes) for source, target in targets.files.items())
    kept = [finding for finding in findings if stays_in(finding, notes)]
    write_log(targets, notes, kept)
    return CleanSummary(
        files=[plain_text(str(target)) for target in targets.files.values()],
        log=plain_text(str(targets.log)),
        written=written,
        repaired=len(notes.repaired.keys() - notes.left_out.keys()),
        left_out=len(notes.left_out),
        left_in=len({(finding.file, finding.line) for finding in kept}),
    )


def repair_file(reader: Reader, path: Path, notes: Notes) -> Iterator[tuple[Record, Row]]:
    """Each usable record of a file with its repairs, and its row; what cannot be used is noted as left out."""
    shown = plain_text(str(path))
    for item in reader.readers[file_kind(path)](path, reader.encoding):
        if isinstance(item, Finding):
            if item.severity == "error":
                notes.left_out[item.file, item.line].append(item)
            continue
        notes.columns[shown] |= dict.fromkeys(item.fields)
        made, changes = repair_one(reader, path, item)
        place = (shown, item.line)
        if isinstance(made, Finding):
            notes.left_out[place].append(made)
            continue
        if changes:
            notes.repaired[place] = changes
            case = make_case(made[1])
            notes.remaining[place] = {finding.kind for check in SETTLED for finding in check(case)}
        yield made


def repair_one(reader: Reader, path: Path, record: Record) -> tuple[tuple[Record, Row] | Finding, list[Change]]:
    """A record repaired, with its row, or why it is none; and the changes."""
    names = name_columns(tuple(record.fields), reader.given)
    fields, changes = repair_record(record.fields, names)
    row = read_row(reader, path, Record(record.line, fields))
    if isinstance(row, Finding):
        return row, changes
    cut = cut_turn(fields, names, row.reference) if any(find_leaked_turns(make_case(row))) else None
    if cut is not None:
        shorter = read_row(reader, path, Record(record.line, cut))
        if isinstance(shorter, Row):
            rest = row.reference[len(shorter.reference) :]
            changes.append(Change("leaked_turn", "turn", {"text": quote_text(rest)}))
            fields, row = cut, shorter
    return (Record(record.line, fields), row), changes


def read_row(reader: Reader, path: Path, record: Record) -> Row | Finding:
    """The row of a record, or the first reason why it is none."""
    made = list(reader.read_record(path, record))
    return next((one for one in made if isinstance(one, Row)), made[0])


def leave_out(cases: Cases, notes: Notes) -> None:
    """Note the rows that are of no use. What goes changes what the others are held against, so it is looked again."""
    while found := find_useless(cases):
        for finding in found:
            notes.left_out[finding.file, finding.line].append(finding)
        kept = [at for at, case in enumerate(cases) if (case.row.file, case.row.line) not in notes.left_out]
        cases = cases.pick(np.array(kept, dtype=np.intp))


def find_useless(cases: Cases) -> list[Finding]:
    """Empty rows; where there are none, exact copies; where there are none, placeholders."""
    empty = [found for case in cases for check in (find_empty_instruction, find_empty_output) for found in check(case)]
    return empty or list(find_duplicates(cases)) or list(find_placeholders(cases))


def write_file(reader: Reader, source: Path, target: Path, notes: Notes) -> int:
    """Write one clean file; how many records it has."""
    shown = plain_text(str(source))
    again = Reader(reader.given, reader.system_prompt, reader.encoding)
    kept = (
        record.fields for record, _ in repair_file(again, source, Notes()) if (shown, record.line) not in notes.left_out
    )
    shape = Shape(tuple(notes.columns[shown]))
    if file_kind(source) in TABLES:
        header = read_start(source, reader.encoding).lstrip("\ufeff").split("\n", 1)[0]
        delimiter = find_delimiter(source, header) if file_kind(target) == ".csv" else ","
        shape = shape._replace(
            delimiter="," if delimiter == "\t" else delimiter, marked=read_sample(source).startswith(BOM_UTF8)
        )
    return write_records(target, kept, shape)


def stays_in(finding: Finding, notes: Notes) -> bool:
    """Whether a finding is one that the user has to decide, and is still there."""
    place = (finding.file, finding.line)
    if finding.severity != "warning" or finding.kind in NOT_OF_A_ROW or place in notes.left_out:
        return False
    settled = {change.kind for change in notes.repaired.get(place, [])} - notes.remaining.get(place, set())
    return finding.kind not in settled


def write_log(targets: Targets, notes: Notes, kept: Sequence[Finding]) -> None:
    """A line for each change, each record left out, and each finding that stays, in the order of the files."""
    lines: dict[Place, list[str]] = defaultdict(list)
    for place, changes in notes.repaired.items():
        if place not in notes.left_out:
            lines[place] += [f"{change.kind}: {tell(f'clean.{change.name}', **change.values)}" for change in changes]
    for place, findings in notes.left_out.items():
        lines[place].append(f"{findings[0].kind}: {tell('clean.left_out', why=findings[0].message)}")
    for finding in kept:
        lines[finding.file, finding.line].append(
            f"{finding.kind}: {tell('clean.left_in', why=finding.message, fix=finding.fix)}"
        )
    order = {plain_text(str(path)): number for number, path in enumerate(targets.files)}
    with open_whole(targets.log) as file:
        for (name, line), told in sorted(lines.items(), key=lambda item: (order.get(item[0][0], 0), item[0][1])):
            file.writelines(" ".join(f"{name}:{line}: {one}".split()) + "\n" for one in told)
