"""Keeps rows apart: takes drawn rows one by one and refuses those that look like one already taken.

In: a function that draws a row. Out: as many rows as asked for, no two of which are alike to `bound` or more, by the
Jaccard similarity of their five-character or of their five-word pieces over instruction and input. Held-out rows are
then never copies of training rows, whichever way the set is split.

    >>> round(measure_overlap({"a", "b"}, {"b", "c"}), 2)
    0.33
"""

from collections.abc import Callable

from tuneproof.demo.vocabulary import Row

MAX_TRIES = 400
"""Draws allowed for one row before the patterns of its family count as too few for the number of rows asked for."""


def cut_pieces(row: Row) -> tuple[set[str], set[str]]:
    """Return the five-character and the five-word pieces of instruction and input, lower case, single spaces."""
    words = f"{row['instruction']} {row['input']}".lower().split()
    text = " ".join(words)
    characters = {text[start : start + 5] for start in range(max(1, len(text) - 4))}
    return characters, {" ".join(words[start : start + 5]) for start in range(max(1, len(words) - 4))}


def measure_overlap(first: set[str], second: set[str]) -> float:
    """Return the Jaccard similarity of two sets of pieces, 0 to 1; the sets must not both be empty."""
    return len(first & second) / len(first | second)


class Gatekeeper:
    """Remembers the rows let in so far, and tells whether another is too close to one of them."""

    def __init__(self, bound: float) -> None:
        """Refuse rows whose similarity to one already admitted reaches `bound`."""
        self.bound = bound
        self._admitted: list[tuple[set[str], set[str]]] = []
        self._holders: dict[str, list[int]] = {}

    def admit(self, row: Row) -> bool:
        """Take `row` in and return True, or return False because it resembles an earlier row."""
        characters, words = cut_pieces(row)
        neighbours = {holder for piece in characters for holder in self._holders.get(piece, ())}
        for neighbour in neighbours:
            other_characters, other_words = self._admitted[neighbour]
            if max(measure_overlap(characters, other_characters), measure_overlap(words, other_words)) >= self.bound:
                return False
        for piece in characters:
            self._holders.setdefault(piece, []).append(len(self._admitted))
        self._admitted.append((characters, words))
        return True


def draw_distinct(draw: Callable[[int], Row], count: int, bound: float) -> list[Row]:
    """Return `count` rows of `draw(place)`, drawing a place again until its row differs enough from the earlier ones.

    The place is the position the row will have, so that a family can walk through its kinds evenly.
    Raises RuntimeError when `MAX_TRIES` draws in a row are refused: the family needs more patterns.
    """
    gate = Gatekeeper(bound)
    rows: list[Row] = []
    for place in range(count):
        for _ in range(MAX_TRIES):
            row = draw(place)
            if gate.admit(row):
                rows.append(row)
                break
        else:
            raise RuntimeError(f"row {place} found no wording below a similarity of {bound}: add patterns")
    return rows
