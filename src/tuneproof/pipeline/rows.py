"""Rows read, checked and split, before any model is loaded: what `check`, `plan` and `run` begin with.

In: a config. Out: the report, the usable rows, their sides. Without a model's name nothing of torch is imported.

    prepared = prepare_rows(config, Quiet())
    prepared.report.usable, prepared.split.sizes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tuneproof.config import RunConfig
from tuneproof.data.check import Examination, Limits, check_rows
from tuneproof.data.read import ReadResult, make_reader, read_files, read_rows
from tuneproof.data.split import RowKey, SplitSizes, check_leaks, compare_own, describe_cases, split_rows
from tuneproof.data.store import PART_ROWS, list_ids
from tuneproof.errors import UsageError
from tuneproof.pipeline.mixing import mix_rows, tell_weights
from tuneproof.progress import Progress
from tuneproof.records import DataReport, Finding, Message, Row, Split, SplitSummary
from tuneproof.statistics import detectable_effect

Measure = Callable[[Iterable[Sequence[Message]]], Iterable[tuple[int, int]]]
"""The messages of rows -> (tokens, trained tokens) of each."""


class Prepared(NamedTuple):
    """Rows ready to be used."""

    report: DataReport
    rows: Sequence[Row]
    split: Split
    lengths: dict[str, tuple[int, int]]
    """Row id -> (tokens, trained tokens); empty where no model was named."""

    def measure(self, row: Row) -> tuple[int, int]:
        """(tokens, trained tokens) of a row; a quarter of its characters where no model was named."""
        return self.lengths.get(row.id) or (len(row.question + row.reference) // 4, len(row.reference) // 4)


def prepare_rows(config: RunConfig, progress: Progress, measure: Measure | None = None) -> Prepared:
    """Read, check, split. Raises UsageError for a missing file, DataError when no row can be used.

    `measure`: how a row's tokens are counted; by the model's tokenizer where it is not given.
    """
    if not config.data.files:
        raise UsageError("data.no_files", where="data.files")
    data = config.data
    reader = make_reader(columns=data.columns, task=data.task, system_prompt=data.system_prompt, encoding=data.encoding)
    with Examination(progress) as examination:
        read = read_files([Path(file) for file in data.files], reader, progress, examination.watch)
        sizes = measure_rows(config, read, progress, measure)
        longest = data.limit_row(tokens for tokens, _ in sizes)
        limits = Limits(config.split.near_duplicate, longest, sizes)
        report, cases, clusters = examination.finish(read, limits)
    if data.outliers:
        from tuneproof.pipeline.outliers import note_outliers

        add_findings(report, note_outliers(config, cases, longest, progress))
    keys = describe_cases(cases)
    mixed = mix_rows(config, read, cases.take_rows(), lambda heavy: make_split(config, heavy, clusters, keys))
    tell_weights(mixed, progress)
    report.weights, report.shadowed, report.left_out = mixed.weights, mixed.shadowed, read.left_out
    if read.left_out:
        progress.say("data.left_out", files=", ".join(read.left_out))
    report.split = SplitSummary(
        train=mixed.split.sizes["train"],
        select=mixed.split.sizes["select"],
        test=mixed.split.sizes["test"],
        minimum_detectable_effect=detectable_effect(mixed.split.sizes["test"]),
        likeness=mixed.split.likeness,
    )
    return Prepared(report, mixed.rows, mixed.split, dict(zip(list_ids(read.rows), sizes, strict=False)))


def add_findings(report: DataReport, findings: Sequence[Finding]) -> None:
    """Add to a report what was found after it was made."""
    report.findings += findings
    for one in findings:
        report.counts[one.kind] = report.counts.get(one.kind, 0) + 1


def measure_rows(
    config: RunConfig, read: ReadResult, progress: Progress, measure: Measure | None = None
) -> list[tuple[int, int]]:
    """(tokens, trained tokens) of every row that was read; nothing where no model was named."""
    if measure is None:
        if config.model.name is None:
            return []
        from tuneproof.model.encoding import measure_rows as measure_all
        from tuneproof.model.load import load_tokenizer

        measure = partial(measure_all, load_tokenizer(config.model.name, config.model.revision))
    sizes = []
    progress.begin("tokens", len(read.rows))
    for size in measure(row.messages for row in read.rows):
        sizes.append(size)
        if len(sizes) % PART_ROWS == 0:
            progress.advance(len(sizes))
    progress.end("tokens")
    return sizes


def make_split(config: RunConfig, rows: Sequence[Row], clusters: dict[str, str], keys: dict[str, RowKey]) -> Split:
    """The split; with the user's own test file nothing is held out for a test."""
    knobs = config.split
    own = config.data.test is not None
    sizes = SplitSizes(
        select_share=knobs.select_share,
        test_share=0.0 if own else knobs.test_share,
        minimum_test=0 if own else knobs.minimum_test,
        maximum_test=0 if own else knobs.maximum_test,
        minimum_select=knobs.minimum_select,
    )
    earlier = {}
    if config.train.start_from is not None:
        from tuneproof.pipeline.onward import find_sides

        earlier = find_sides(config)
    return split_rows(rows, clusters, seed=config.train.seed, sizes=sizes, earlier=earlier, keys=keys)


def use_own_test(prepared: Prepared, rows: Sequence[Row], test: Sequence[Row]) -> None:
    """Put the user's own test rows into the records of the split. `rows`: those that do not leak them."""
    split, summary = prepared.split, prepared.report.split
    assert summary is not None
    train = [row for row in rows if split.rows[row.id].side == "train"]
    split.sizes["test"] = summary.test = len(test)
    # Wordings of one question are one observation.
    summary.minimum_detectable_effect = detectable_effect(len({split.rows[row.id].cluster for row in test}))
    likeness = compare_own(test, train)
    if likeness is not None:
        split.likeness["test"] = likeness
    summary.likeness = split.likeness


def read_test(config: RunConfig, report: DataReport, rows: Sequence[Row]) -> tuple[list[Row], set[str]]:
    """The user's own test rows, and the ids of other rows that leak them; each leak becomes a finding of the report."""
    data = config.data
    assert data.test is not None
    read = read_rows(
        [Path(data.test)],
        columns=data.columns,
        task=data.task,
        system_prompt=data.system_prompt,
        encoding=data.encoding,
    )
    _, test = check_rows(read)
    leaks = check_leaks(rows, test)
    add_findings(report, leaks)
    places = {(leak.file, leak.line) for leak in leaks}
    return test, {row.id for row in rows if (row.file, row.line) in places}
