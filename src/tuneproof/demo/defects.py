"""The mistakes put into the demo data on purpose, for `tuneproof check` to find.

In: the clean rows in their final order, and spare rows of the same families that may be damaged. Out: the clean rows
with fourteen bad ones among them at the fixed lines of `COPIES` and `SPARES`, and a list that says where each sits and
which line it belongs to. Kinds are named as in the findings of `data/report.json`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tuneproof.demo.vocabulary import Row


def _copy(row: Row) -> Row:
    return dict(row)


def _thank(row: Row) -> Row:
    return {**row, "input": f"{row['input']} Many thanks."}


def _sign(row: Row) -> Row:
    return {**row, "input": f"{row['input']} - Desk 4"}


def _hurry(row: Row) -> Row:
    return {**row, "input": f"{row['input']} Soon, please."}


def _contradict(row: Row) -> Row:
    return {**row, "output": "Copper cover, 2 years"}


def _empty(row: Row) -> Row:
    return {**row, "output": ""}


def _leave_placeholder(row: Row) -> Row:
    return {**row, "output": "N/A"}


def _leak_next_turn(row: Row) -> Row:
    return {**row, "output": f"{row['output']}\n\nInstruction: Write the reply.\nInput: the next customer is waiting"}


def _truncate(row: Row) -> Row:
    """Cut the letter off after "your", in the middle of its sentence of regret."""
    return {**row, "output": row["output"][: row["output"].rindex(" your ") + len(" your")]}


def _expose_person(row: Row) -> Row:
    """Add an e-mail address of a reserved domain and a telephone number of the range that Ofcom keeps for fiction."""
    first = str(row["required"][0]).removeprefix("Dear ").rstrip(",").lower()
    return {**row, "input": f"{row['input']} Reach: {first}.h@example.com or +44 20 7946 0018"}


def _miscalculate(row: Row) -> Row:
    """Replace the invoice by one whose product is off by two, and carry the mistake into the total."""
    return {
        **row,
        "input": "12 gaskets for 3.00 per piece; shipping 4.00.",
        "output": "12 x 3.00 = 38.00; 38.00 + 4.00 = 42.00\nTotal: 42.00 EUR",
    }


class Defect(NamedTuple):
    """One planned mistake: its 1-based line in the file, its kind, the family it hits, and what is done to the row."""

    line: int
    kind: str
    family: str
    damage: Callable[[Row], Row]


# Each of these spoils a copy of a clean row that stands earlier in the file.
COPIES = (
    Defect(212, "duplicate", "extract", _copy),
    Defect(397, "duplicate", "convert", _copy),
    Defect(588, "duplicate", "reply", _copy),
    Defect(801, "duplicate", "invoice", _copy),
    Defect(260, "near_duplicate", "extract", _thank),
    Defect(505, "near_duplicate", "reply", _hurry),
    Defect(733, "near_duplicate", "extract", _sign),
    Defect(455, "contradiction", "policy", _contradict),
)
# Each of these damages a spare row that no other row resembles.
SPARES = (
    Defect(77, "pii", "reply", _expose_person),
    Defect(143, "empty_output", "convert", _empty),
    Defect(321, "placeholder_output", "extract", _leave_placeholder),
    Defect(640, "leaked_turn", "reply", _leak_next_turn),
    Defect(688, "truncated_output", "reply", _truncate),
    Defect(850, "wrong_arithmetic", "invoice", _miscalculate),
)


def count_spares(family: str) -> int:
    """Return how many spare rows of `family` the plan damages."""
    return sum(1 for defect in SPARES if defect.family == family)


def _choose_originals(clean: list[Row]) -> list[Row]:
    """Return the clean row that each entry of `COPIES` repeats, all different and all near the top of the file.

    The longest input is taken, so that a few changed words leave most of the row as it was. The contradiction is about
    a warranty, because another warranty is a plausible wrong answer.
    """
    chosen: list[Row] = []
    for defect in COPIES:
        fitting = [
            row
            for row in clean[:150]
            if row["task"] == defect.family
            and row not in chosen
            and (defect.kind != "contradiction" or str(row["output"]).endswith(" years"))
        ]
        chosen.append(max(fitting, key=lambda row: len(row["input"])))
    return chosen


def plant_defects(clean: list[Row], spares: list[Row]) -> tuple[list[Row], list[dict[str, Any]]]:
    """Return all rows in file order, and for each defect its `kind`, `line` and `related` lines (1-based).

    `spares` holds, for every entry of `SPARES`, one row of its family that no clean row resembles.
    """
    left = list(spares)
    planted: list[tuple[Defect, Row, list[Row]]] = []
    for defect, original in zip(COPIES, _choose_originals(clean), strict=True):
        planted.append((defect, defect.damage(original), [original]))
    for defect in SPARES:
        spare = next(row for row in left if row["task"] == defect.family)
        left.remove(spare)
        planted.append((defect, defect.damage(spare), []))
    planted.sort(key=lambda entry: entry[0].line)
    rows = list(clean)
    for defect, row, _ in planted:
        rows.insert(defect.line - 1, row)
    listing: list[dict[str, Any]] = [
        {"kind": defect.kind, "line": defect.line, "related": [rows.index(original) + 1 for original in originals]}
        for defect, _, originals in planted
    ]
    return rows, listing
