"""Parquet -> records, a batch at a time, however large the file is.

Out: a `Record` a row, numbered from 1, or a finding for a row or a file that cannot be read. Text is taken as it lies
in the file, lists and structures as JSON has them, and everything else becomes the text that `cells.write_value` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tuneproof.data.cells import write_value
from tuneproof.data.decode import DAMAGE, name_damage, open_seekable
from tuneproof.data.findings import make_finding
from tuneproof.data.parse import Record
from tuneproof.errors import UsageError
from tuneproof.records import Finding

BATCH = 1000
"""Rows that are held at a time."""


def read_parquet(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a Parquet file; `encoding` means nothing to it, its text is UTF-8 by definition.

    Raises UsageError when pyarrow is not installed.
    """
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise UsageError("data.no_parquet", where=str(path)) from error
    number = 0
    try:
        with open_seekable(path) as stream:
            for batch in parquet.ParquetFile(stream).iter_batches(batch_size=BATCH):
                columns = zip(batch.schema.names, batch.columns, strict=True)
                yield from read_batch(path, number, {name: spell_out(arrow, array) for name, array in columns})
                number += batch.num_rows
    except DAMAGE as error:
        yield name_damage(path, number + 1, error)
    except (arrow.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = str(error).partition("\n")[0][:200]
        values = {"variant": "damaged", "format": "Parquet", "reason": reason}
        yield make_finding("bad_encoding", "error", (str(path), number + 1), {**values})


def read_batch(path: Path, start: int, columns: Mapping[str, Any]) -> Iterator[Record | Finding]:
    """The records of a batch that stands behind `start` rows. `columns`: name -> array of Arrow."""
    names, arrays = list(columns), list(columns.values())
    try:
        rows: list[Any] = list(zip(*(array.to_pylist() for array in arrays), strict=True))
    except (ValueError, OverflowError):
        rows = [None] * len(arrays[0])
    for at, row in enumerate(rows):
        try:
            # A value that cannot be shown must not cost the rows around it.
            values = row if row is not None else [array[at].as_py() for array in arrays]
            yield Record(start + at + 1, {name: write_value(value) for name, value in zip(names, values, strict=True)})
        except (ValueError, OverflowError) as error:
            told = {"variant": "value", "reason": str(error)[:200]}
            yield make_finding("bad_encoding", "error", (str(path), start + at + 1), {**told})


def spell_out(arrow: Any, array: Any) -> Any:
    """An array of Arrow with values that become Python's as they are meant. `arrow`: the package."""
    kind = array.type
    if arrow.types.is_float16(kind) or arrow.types.is_float32(kind):
        # 0.1 of four bytes would become 0.10000000149011612; its text is the shortest that means the same.
        return array.cast(arrow.string()).cast(arrow.float64())
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        return array.cast(arrow.timestamp("us", kind.tz), safe=False)
    return array
