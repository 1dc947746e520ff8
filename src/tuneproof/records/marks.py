"""What a reader of the answers has marked. `marks.json`.

A mark is a note for mending the data, not a correction: the verdict stays as it was measured, since test items that are
taken out after their answers were seen prove nothing.
"""

from __future__ import annotations

from pydantic import BaseModel


class Mark(BaseModel):
    """A test item whose reference answer a reader holds to be wrong."""

    id: str
    """Of the item, as in `eval/tuned/test.jsonl`."""
    time: float
    """When it was marked, in seconds since 1970."""


class Marks(BaseModel):
    """All marks of a run. `marks.json`."""

    wrong_references: list[Mark] = []

    @property
    def ids(self) -> set[str]:
        """The items that are marked."""
        return {mark.id for mark in self.wrong_references}

    def set(self, item: str, *, wrong: bool, time: float) -> None:
        """Mark an item, or take its mark away."""
        self.wrong_references = [mark for mark in self.wrong_references if mark.id != item]
        if wrong:
            self.wrong_references.append(Mark(id=item, time=time))
