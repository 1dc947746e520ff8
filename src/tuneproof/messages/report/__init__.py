"""What the user reads: the report page. key -> (English, Chinese).

report/
|- sections.py    sentences, in the order of the page
|- guide.py       what to do next, and what the words mean
|- beside.py      sentences about overfitting, and about what stands beside the verdict
`- names.py       `report.GROUP.NAME`: what the page calls NAME of a record, a column, an axis
"""

from __future__ import annotations

from tuneproof.messages.report import beside, guide, names, sections

MESSAGES: dict[str, tuple[str, str]] = {
    **sections.MESSAGES,
    **guide.MESSAGES,
    **beside.MESSAGES,
    **names.MESSAGES,
}
