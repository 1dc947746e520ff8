"""The data doctor: rows in, a report of every finding and the rows that can be used out.

Checks of one row are listed in jobs.py (ROW_CHECKS), which does them part by part, in several processes for many rows;
those of the whole set are here. Each lives in the file of its theme. Rows with a finding of severity `error` are left
out: empty questions and answers, and exact copies but for the first. Warnings stay in, contradictions too: which of two
answers is right, only the user knows.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tuneproof.data.balance import find_imbalance, find_moulds, find_placeholders, find_too_few
from tuneproof.data.copies import find_contradictions, find_duplicates, find_near_duplicates
from tuneproof.data.ending import learn_customs
from tuneproof.data.findings import note_defect
from tuneproof.data.grams import BANDS, Places, Words
from tuneproof.data.jobs import read_findings, read_traits, save_common, save_customs
from tuneproof.data.near import THRESHOLD, Grams, group_digests, name_clusters
from tuneproof.data.read import ReadResult
from tuneproof.data.store import PART_ROWS, Part, Store, fill_store, list_ids
from tuneproof.data.traits import TRAIT, Cases, ClassTable, Indices, find_repeats
from tuneproof.data.workers import Workers, count_workers
from tuneproof.progress import Progress, Quiet
from tuneproof.records import DataReport, Finding, Row, TokenSummary

Answer = Future[dict[str, Any]]
SetCheck = Callable[[Cases], Iterator[Finding]]
SET_CHECKS: tuple[SetCheck, ...] = (
    find_placeholders,
    find_contradictions,
    find_moulds,
    find_imbalance,
    find_too_few,
)


PASSES = 3
"""Jobs that are done with every row."""


class Checked(NamedTuple):
    """What was found, and what can be used."""

    report: DataReport
    cases: Cases
    """The usable rows, in their order."""
    clusters: dict[str, str]
    """Row id -> cluster of near-duplicates."""

    @property
    def rows(self) -> Sequence[Row]:
        """The usable rows."""
        return self.cases.take_rows()


class Limits(NamedTuple):
    """From where on rows are near-duplicates, and too long."""

    threshold: float = THRESHOLD
    """Jaccard similarity (0 to 1) of two questions."""
    max_tokens: int | None = None
    sizes: Sequence[tuple[int, int]] = ()
    """(tokens, trained tokens) of each row that was read; none when no tokenizer is at hand."""


def check_rows(
    read: ReadResult, limits: Limits | None = None, workers: int | None = None
) -> tuple[DataReport, list[Row]]:
    """The report on what was read (without `split`), and the usable rows in their order.

    `workers`: processes beside this one, by default as many as the rows are worth; what is found is the same for any.
    """
    with Examination(Quiet(), workers) as examination:
        checked = examination.finish(read, limits or Limits())
        return checked.report, list(checked.rows)


class Examination:
    """Checks rows part by part, in several processes where there are many, and begins while they are being read.

    with Examination(progress) as examination:
        checked = examination.finish(read_files(files, reader, progress, examination.watch), Limits())
    """

    def __init__(self, progress: Progress, workers: int | None = None) -> None:
        self.progress = progress
        self.count = workers
        self.workers: Workers | None = None
        self.examined = deque[Answer]()
        """One for each part that is full."""

    def __enter__(self) -> Examination:
        return self

    def __exit__(self, *details: object) -> None:
        if self.workers is not None:
            self.workers.close()

    def watch(self, store: Store) -> None:
        """Begin with the parts that are full, where so many rows are worth processes of their own."""
        count = count_workers(len(store)) if self.count is None else self.count
        if count and len(store) >= PART_ROWS:
            self.workers = self.workers or Workers(count)
            parts = store.list_parts(len(self.examined) * PART_ROWS)
            self._examine(store, [part for part in parts if part.first + PART_ROWS <= len(store)])

    def finish(self, read: ReadResult, limits: Limits) -> Checked:
        """The report on what was read (without `split`), the usable rows, and their clusters."""
        store = read.rows if isinstance(read.rows, Store) else fill_store(read.rows)
        self.progress.begin("check", len(store))
        if self.workers is None:
            self.workers = Workers(count_workers(len(store)) if self.count is None else self.count)
        self._examine(store, store.list_parts(len(self.examined) * PART_ROWS))
        parts = Parts(store, self.workers, self.progress)
        cases, findings = gather_examined(store, parts.take(self.examined))
        findings += find_duplicates(cases)
        cases = leave_out(cases, (at for at, _ in find_repeats(cases.traits["whole"])))
        judged = parts.judge(cases)
        groups = parts.group(cases, limits.threshold)
        findings += find_near_duplicates(cases, groups)
        findings += chain.from_iterable(read_findings(result) for result in parts.take(judged))
        for check in SET_CHECKS:
            findings += check(cases)
        findings += find_too_long(cases, limits)
        findings += read.findings
        self.progress.end("check")
        clusters = name_clusters(list_ids(cases.take_rows()), groups.tolist())
        report = make_report(read, cases, findings)
        report.tokens = summarize_tokens(limits.sizes)
        return Checked(report, cases, clusters)

    def _examine(self, store: Store, parts: Sequence[Part]) -> None:
        assert self.workers is not None
        folder = str(store.folder)
        self.examined += [self.workers.submit("examine", {"folder": folder, "part": part}) for part in parts]


class Parts:
    """The jobs that are done with every part of a store. Each pass counts as a third of the rows."""

    def __init__(self, store: Store, workers: Workers, progress: Progress) -> None:
        self.store = store
        self.workers = workers
        self.progress = progress
        self.parts = store.list_parts()
        self.passes = 0

    def judge(self, cases: Cases) -> deque[Answer]:
        """Look at the ends of the answers."""
        save_customs(self.store.folder, learn_customs(cases))
        return self._ask("judge", cases.places)

    def group(self, cases: Cases, threshold: float) -> Places:
        """For each case the number of its group of near-duplicate questions."""

        def sign(grams: Grams, indices: Places) -> Words:
            save_common(self.store.folder, grams.common)
            keys = np.empty((len(indices), BANDS), dtype=np.uint64)
            done = 0
            for result in self.take(self._ask("sign", cases.places[indices])):
                some = np.frombuffer(b64decode(result["keys"]), dtype=np.uint64).reshape(-1, BANDS)
                keys[done : done + len(some)] = some
                done += len(some)
            return keys

        return group_digests(Prompts(cases), cases.traits["near"], threshold, sign)

    def take(self, answers: deque[Answer]) -> Iterator[dict[str, Any]]:
        """The results of a job, one a part, each when it is there; a result that was taken is let go."""
        for part in self.parts:
            yield answers.popleft().result()
            behind = self.passes * len(self.store) + min(part.first + PART_ROWS, len(self.store))
            self.progress.advance(behind // PASSES)
        self.passes += 1

    def _ask(self, job: str, places: Indices) -> deque[Answer]:
        """Have a job done with the rows at `places` of the store, which are in order."""
        bounds = np.searchsorted(places, [*(part.first for part in self.parts), len(self.store)])
        asked = deque[Answer]()
        for part, start, end in zip(self.parts, bounds[:-1], bounds[1:], strict=True):
            rows = (places[start:end] - part.first).tolist()
            asked.append(self.workers.submit(job, {"folder": str(self.store.folder), "part": part, "rows": rows}))
        return asked


def gather_examined(store: Store, results: Iterable[dict[str, Any]]) -> tuple[Cases, list[Finding]]:
    """The rows without an error, with their traits, and what is found about each row by itself."""
    table, findings, traits, wrong = ClassTable(), list[Finding](), [np.zeros(0, dtype=TRAIT)], list[int]()
    start = 0
    for result in results:
        wrong += [start + at for at in result["wrong"]]
        traits.append(read_traits(result, table))
        start += len(traits[-1])
        findings += read_findings(result)
    return leave_out(Cases(store, np.concatenate(traits), table.classes), wrong), findings


class Prompts(Sequence[str]):
    """The questions of cases, each read when it is asked for."""

    def __init__(self, cases: Cases) -> None:
        self.cases = cases

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, at: Any) -> Any:
        """One question."""
        return self.cases[at].prompt


def leave_out(cases: Cases, wrong: Iterable[int]) -> Cases:
    """The cases but for those at the places `wrong`."""
    return cases.pick(np.setdiff1d(np.arange(len(cases)), np.array([*wrong], dtype=np.intp)))


def find_too_long(cases: Cases, limits: Limits) -> Iterator[Finding]:
    """Rows of more tokens than are allowed: they would lose the end of their answer."""
    if limits.max_tokens is None or not limits.sizes:
        return
    for at, place in enumerate(cases.places.tolist()):
        tokens, _ = limits.sizes[place]
        if tokens > limits.max_tokens:
            yield note_defect(cases[at], "over_length", "warning", tokens=tokens, limit=limits.max_tokens)


def make_report(read: ReadResult, cases: Cases, findings: list[Finding]) -> DataReport:
    """The report, its findings by file and line."""
    order = {file: number for number, file in enumerate(read.files)}
    findings.sort(key=lambda finding: (order.get(finding.file, 0), finding.line))
    edges, counts = count_lengths(cases.traits["size"])
    languages = Counter[str]()
    for one, count in zip(cases.classes, np.bincount(cases.traits["class"]).tolist(), strict=False):
        languages[one.language] += count
    return DataReport(
        rows=read.total,
        usable=len(cases),
        files=read.files,
        findings=findings,
        counts=dict(Counter(finding.kind for finding in findings)),
        tasks={task: len(places) for task, places in cases.group_tasks()},
        languages=+languages,
        lengths=counts,
        length_edges=edges,
    )


def summarize_tokens(sizes: Sequence[tuple[int, int]]) -> TokenSummary:
    """Median, 95th percentile and maximum of the rows' tokens, and which share of all is trained."""
    if not sizes:
        return TokenSummary()
    ranked = sorted(tokens for tokens, _ in sizes)
    return TokenSummary(
        p50=ranked[len(ranked) // 2],
        p95=ranked[int(0.95 * (len(ranked) - 1))],
        max=ranked[-1],
        supervised_share=sum(trained for _, trained in sizes) / max(1, sum(ranked)),
    )


def count_lengths(lengths: Indices) -> tuple[list[int], list[int]]:
    """Edges (characters, doubling from 25) and counts of a histogram of row lengths; the last edge is above all."""
    edges = [0, 25]
    while edges[-1] <= max(lengths, default=0):
        edges.append(2 * edges[-1])
    return edges, np.histogram(lengths, edges)[0].tolist()
