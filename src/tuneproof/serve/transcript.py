"""An answer as it grows: tokens in, text out that will not have to be taken back.

A token may end in the middle of a character, and a stop string may begin in one token and end three later. Both are
held back until it is known what they are. What was shown and what is shown at last add up to one text, the same for a
client that streams and one that waits.

    transcript = Transcript(tokenizer, stops=["\\n\\n"])
    transcript.add(token)        # "Hel"
    transcript.add(token)        # "lo", or "" while it could be the beginning of a stop string
    transcript.close()           # what was held back
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNFINISHED = "\ufffd"
"""What a decoder writes for bytes that are no character (yet)."""


class Detokenizer:
    """Token ids -> text, piece by piece.

    A few tokens before the new one are decoded with it and cut off again, since a decoder may write a token otherwise
    at the beginning of a text (SentencePiece drops the space there). The same is done in vLLM and TGI.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.before, self.told = 0, 0
        """Text up to `told` is out; from `before` on tokens are decoded."""

    def add(self, token: int) -> str:
        """The characters that this token completes."""
        self.ids.append(token)
        return self._tell(whole=False)

    def close(self) -> str:
        """What is left, though it be half a character."""
        return self._tell(whole=True)

    def _tell(self, *, whole: bool) -> str:
        told = self._decode(self.ids[self.before : self.told])
        text = self._decode(self.ids[self.before :])
        if not whole and (text.endswith(UNFINISHED) or len(text) <= len(told)):
            return ""
        self.before, self.told = self.told, len(self.ids)
        return text[len(told) :]

    def _decode(self, ids: Sequence[int]) -> str:
        # Cleaning up spaces before points would change what is already out.
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class Transcript:
    """Text of one answer, without its stop string."""

    def __init__(self, tokenizer: Any, stops: Sequence[str] = ()) -> None:
        self.stops = tuple(stops)
        self.stopped = False
        """Whether a stop string has come; nothing comes after it."""
        self.settled = 0
        """Tokens, from the first, whose text begins in what was shown."""
        self._starts: list[int] = []
        self._detokenizer = Detokenizer(tokenizer)
        self._held = ""
        self._shown = 0

    def add(self, token: int) -> str:
        """Text that may be shown now."""
        self._starts.append(self._shown + len(self._held))
        self._held += self._detokenizer.add(token)
        kept = 0 if self._find() else self._overlap()
        return self._show(len(self._held) - kept)

    def close(self) -> str:
        """All that was held back: the answer is over."""
        if self.stopped:
            return ""
        self._held += self._detokenizer.close()
        self._find()
        return self._show(len(self._held))

    def _find(self) -> bool:
        """Cut what is held where the first stop string begins."""
        places = [place for stop in self.stops if (place := self._held.find(stop)) >= 0]
        if places:
            self._held = self._held[: min(places)]
            self.stopped = True
        return self.stopped

    def _overlap(self) -> int:
        """Characters at the end of what is held that may be the beginning of a stop string."""
        longest = max((len(stop) for stop in self.stops), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self.stops):
                return size
        return 0

    def _show(self, count: int) -> str:
        shown, self._held = self._held[:count], self._held[count:]
        self._shown += len(shown)
        while self.settled < len(self._starts) and self._starts[self.settled] < self._shown:
            self.settled += 1
        return shown


class Speller:
    """The bytes of single tokens, for log probabilities."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.special = set(tokenizer.all_special_ids)
        self.alphabet = _read_byte_alphabet()
        self.is_bytes = self._writes_bytes()

    def spell(self, token: int) -> bytes:
        """What the token adds to a text: bytes, perhaps not whole characters."""
        name = self.tokenizer.convert_ids_to_tokens(token)
        if name is None:
            return b""
        if len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            return bytes([int(name[3:5], 16)])
        if self.is_bytes and token not in self.special and set(name) <= self.alphabet.keys():
            return bytes(self.alphabet[letter] for letter in name)
        return str(name).replace("\u2581", " ").encode("utf-8", errors="replace")

    def _writes_bytes(self) -> bool:
        """Whether the vocabulary spells bytes as GPT-2's does: every byte is a letter of its own, a space is `Ġ`."""
        (name,) = self.tokenizer.tokenize(" ")[:1] or [""]
        return bool(str(name).startswith("Ġ"))


def _read_byte_alphabet() -> dict[str, int]:
    """Letter -> byte, of byte-level vocabularies (GPT-2, `bytes_to_unicode`): printable Latin-1 stands for itself."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + at): byte for at, byte in enumerate(others)}
