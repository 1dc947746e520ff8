"""An Excel workbook (.xlsx) -> records: its first visible sheet that holds anything, whose first row names the columns.

Out: a `Record` a row, numbered from 1 behind the header, or a finding. Every cell is the text that `write_cell` says;
of a formula it is the value that was last computed. Sheets that are not read are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tuneproof.data.cells import write_cell
from tuneproof.data.decode import DAMAGE, name_damage, open_seekable
from tuneproof.data.findings import make_finding
from tuneproof.data.parse import Record
from tuneproof.data.table import make_row, name_header
from tuneproof.errors import UsageError
from tuneproof.records import Finding


def read_excel(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a workbook; `encoding` means nothing to it. Raises UsageError without python-calamine."""
    try:
        calamine: Any = import_module("python_calamine")
    except ImportError as error:
        raise UsageError("data.no_excel", where=str(path)) from error
    try:
        with open_seekable(path) as stream:
            book = calamine.CalamineWorkbook.from_filelike(stream)
            yield from read_book(path, book, encoding)
    except DAMAGE as error:
        yield name_damage(path, 1, error)
    except (calamine.CalamineError, OSError, ValueError) as error:
        values = {"variant": "damaged", "format": "Excel", "reason": str(error)[:200]}
        yield make_finding("bad_encoding", "error", (str(path), 1), {**values})


def read_book(path: Path, book: Any, encoding: str | None) -> Iterator[Record | Finding]:
    """The records of the sheet that is read, and the names of those that are not."""
    shown = [about.name for about in book.sheets_metadata if about.visible == type(about.visible).Visible]
    filled = [name for name in shown if book.get_sheet_by_name(name).height]
    if not filled:
        return
    if filled[1:]:
        names = {"variant": "sheets", "sheet": filled[0], "others": ", ".join(filled[1:])}
        yield make_finding("wrong_type", "warning", (str(path), 1), {**names})
    rows = ([write_cell(cell) for cell in row] for row in book.get_sheet_by_name(filled[0]).iter_rows())
    rows = (row for row in rows if any(row))
    header = yield from name_header(path, next(rows, []))
    for number, row in enumerate(rows, 1):
        yield make_row(path, number, header, row, encoding)
