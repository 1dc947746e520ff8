"""The verb `check`: the rows read, checked and split, without a run folder; and the clean file where one is asked for.

report = check_files(config, Quiet(), Path("clean.jsonl"))
"""

from __future__ import annotations

from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.data.clean import Targets, list_targets, write_clean
from tuneproof.data.read import READERS, list_files, make_reader
from tuneproof.pipeline.rows import prepare_rows, read_test, use_own_test
from tuneproof.progress import Progress
from tuneproof.records import DataReport


def check_files(config: RunConfig, progress: Progress, clean: Path | None = None) -> DataReport:
    """What is found in the rows. `clean`: where the repaired data goes; never over an input file (UsageError)."""
    targets = find_targets(config, clean) if clean is not None else None
    prepared = prepare_rows(config, progress)
    report = prepared.report
    if config.data.test:
        test, leaked = read_test(config, report, prepared.rows)
        use_own_test(prepared, [row for row in prepared.rows if row.id not in leaked], test)
    if targets is not None:
        data = config.data
        reader = make_reader(
            columns=data.columns, task=data.task, system_prompt=data.system_prompt, encoding=data.encoding
        )
        progress.begin("clean")
        report.clean = write_clean(reader, targets, report.findings)
        progress.end("clean")
    return report


def find_targets(config: RunConfig, clean: Path) -> Targets:
    """Where the clean files go, told before anything is read."""
    files = list_files([Path(file) for file in config.data.files], READERS)
    return list_targets(files, clean, [Path(config.data.test)] if config.data.test else [])
