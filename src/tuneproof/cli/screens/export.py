"""Exports and their proof: a table of what was read back and how far it differs, then what differs, then what to know.

In: records. Out: something rich can print, and the lines to paste.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from tuneproof.cli.screens.frame import Cell, make_list, make_part, make_table
from tuneproof.cli.words import clean_text, quote_line
from tuneproof.messages import tell
from tuneproof.records import Export, Parity, Proof

COLUMNS = ("file", "reader", "dtype", "logits", "bound", "answers", "passed")
DIFFERENCES = 5
"""Answers that are shown; all of them are in parity.json."""


def draw_exports(exports: Sequence[Export]) -> RenderableType:
    """The whole screen."""
    return Group(*(draw_export(export) for export in exports))


def draw_export(export: Export) -> RenderableType:
    """One target."""
    parity = export.parity
    head = tell("export.head", target=export.target, folder=clean_text(export.folder))
    if parity is None:
        return make_part(head)
    body: list[Cell] = [tell("export.passed" if parity.passed else "export.failed"), draw_proofs(parity.proofs)]
    parts = [make_part(head, *body)]
    if faults := [row for proof in parity.proofs for row in list_faults(proof)]:
        heads = [tell(f"export.column.{name}") for name in ("file", "check", "run", "export")]
        parts.append(make_part(tell("export.bad"), make_table(heads, faults)))
    if pairs := [pair for proof in parity.proofs for pair in proof.differences]:
        heads = [tell(f"export.column.{name}") for name in ("prompt", "run", "export")]
        cells = [[quote_line(one.prompt, 40), quote_line(one.run, 40), quote_line(one.export, 40)] for one in pairs]
        parts.append(make_part(tell("export.differences"), make_table(heads, cells[:DIFFERENCES])))
    notes = [*export.notes, *list_recorded(parity)]
    if notes:
        parts.append(make_part(tell("export.notes"), make_list(map(clean_text, notes))))
    return Group(*parts)


def draw_proofs(proofs: Sequence[Proof]) -> RenderableType:
    """A row a file."""
    rows = [
        [
            clean_text(proof.file),
            proof.reader,
            proof.dtype,
            "-" if proof.logit_error is None else f"{proof.logit_error:.1e}",
            "-" if proof.bound is None else f"{proof.bound:.1e}",
            f"{proof.equal}/{proof.answers}" if proof.answers else "-",
            tell("export.ok" if proof.passed else "export.bad"),
        ]
        for proof in proofs
    ]
    return make_table([tell(f"export.column.{name}") for name in COLUMNS], rows, (3, 4, 5))


def list_faults(proof: Proof) -> list[list[str]]:
    """Every check that failed, with what the run has and what the export has."""
    return [
        [
            clean_text(proof.file),
            tell(f"export.check.{check.name}"),
            quote_line(check.expected or "-", 60),
            quote_line(check.found or "-", 60),
        ]
        for check in proof.checks
        if not check.passed
    ]


def list_recorded(parity: Parity) -> list[str]:
    """How the answers of the proof stand to those that the run has measured, where they are not the same."""
    if parity.recorded_equal is None or parity.recorded_equal == parity.recorded:
        return []
    precision = next((proof.computed_in for proof in parity.proofs if proof.answers), "-")
    return [
        tell(
            "export.recorded",
            n=parity.recorded,
            equal=parity.recorded_equal,
            dtype=parity.computed_by_run,
            precision=precision,
        )
    ]


def list_lines(exports: Sequence[Export]) -> list[str]:
    """What can be pasted."""
    lines = [f"  {command}" for export in exports for command in export.commands]
    return [tell("export.use"), *lines]
