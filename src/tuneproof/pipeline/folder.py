"""What of a folder is a run's, and what is somebody else's: nothing that no run wrote is overwritten or removed.

refuse_foreign(run, config, restart=False)
clear_run(run)
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.errors import RunError
from tuneproof.records import RunRecord
from tuneproof.rundir import PLACES, RunDir

FOLDERS = ("data", "start", "checkpoints", "adapter", "eval", "trials")
FILES = (*PLACES.values(), "config.yaml", "events.jsonl", "report.html")
"""What a run writes into its folder, beside its exports."""


def refuse_foreign(run: RunDir, config: RunConfig, *, restart: bool) -> None:
    """Raise RunError where beginning here would overwrite or remove files that no run of this folder wrote.

    `--out .` in a project that has its rows in `data/` is such a case, and so is beginning again on rows that lie in
    the folder which is cleared for it.
    """
    if not run.has(RunRecord):
        # Standing before the record is written: what was piped in, and the adapter that is gone on from.
        found = [path for name in (*FOLDERS, *FILES) if name != "start" for path in list_files(run.path / name)]
        found = [path for path in found if not path.name.startswith((".", "stdin."))]
    else:
        inputs = [*config.data.files, *([config.data.test] if config.data.test else []), *config.evaluate.probes]
        cleared = [(run.path / name).resolve() for name in FOLDERS]
        found = [Path(name) for name in inputs if restart and set(Path(name).resolve().parents) & set(cleared)]
    if found:
        told = ", ".join(map(str, found[:3]))
        raise RunError("run.foreign", where=str(run.path), files=told)


def list_files(path: Path) -> list[Path]:
    """The file itself, or all below a folder."""
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path] * path.is_file()


def clear_run(run: RunDir) -> None:
    """Remove the records of a run, and nothing that it did not write."""
    for name in FOLDERS:
        shutil.rmtree(run.path / name, ignore_errors=True)
    # The record goes last: without it what is still there would be taken for files of the user's.
    for name in reversed(FILES):
        (run.path / name).unlink(missing_ok=True)
