"""Bytes of a data file -> text: gzip, byte order marks, encodings, and lines that are too long.

Text comes out as it lies in the file: lines end at \\n only (U+2028 is text), bytes that do not fit the encoding come
out as lone surrogates (`surrogateescape`), so that the reader can name the record that holds them.

    for number, line in read_lines(Path("rows.jsonl"), None): ...
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from tuneproof.data.findings import make_finding
from tuneproof.errors import UsageError
from tuneproof.records import Finding

LONGEST_LINE = 50 * 2**20
"""Characters. A longer line is no training row but a file of another kind; it would fill the memory."""
SAMPLE_BYTES = 2**20
"""What is read to guess an encoding."""
UNDECODED = re.compile("[\ud800-\udfff]")
GUESSES = ["gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1252"]
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeError)
"""What stops the reading of a file for good: a cut or damaged gzip file, UTF-16 that is none."""


def check_encoding(encoding: str | None) -> None:
    """Raise UsageError when Python knows no such text encoding."""
    try:
        "".encode(encoding or "utf-8")
    except (LookupError, ValueError) as error:
        raise UsageError("data.unknown_encoding", where="data.encoding", encoding=encoding) from error


def file_kind(path: Path) -> str:
    """The file's ending in lower case, without `.gz`."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked when it is named `.gz`. Raises UsageError when it cannot be opened."""
    try:
        return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")
    except OSError as error:
        raise UsageError("data.unreadable", where=str(path), why=error.strerror or str(error)) from error


@contextmanager
def open_seekable(path: Path) -> Iterator[IO[bytes]]:
    """As `open_bytes`, for readers that jump about: a packed file is unpacked into a temporary one. Raises DAMAGE."""
    if path.suffix.lower() != ".gz":
        with open_bytes(path) as plain:
            yield plain
        return
    with open_bytes(path) as packed, TemporaryFile() as unpacked:
        shutil.copyfileobj(packed, unpacked)
        unpacked.seek(0)
        yield unpacked


def choose_codec(encoding: str | None) -> tuple[str, str]:
    """Name of the codec and how it treats broken bytes: a wide one cannot escape them, it marks them with U+FFFD."""
    codec = codecs.lookup(encoding or "utf-8").name
    errors = "replace" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return ("utf-8-sig" if codec == "utf-8" else codec), errors


def open_text(path: Path, encoding: str | None) -> io.TextIOWrapper:
    """The file as text."""
    codec, errors = choose_codec(encoding)
    return io.TextIOWrapper(open_bytes(path), encoding=codec, errors=errors, newline="\n")


def read_pieces(path: Path, encoding: str | None) -> Iterator[str]:
    """The file's text piece by piece; what comes before a damaged place is all there. Raises one of DAMAGE at it."""
    codec, errors = choose_codec(encoding)
    decoder = codecs.getincrementaldecoder(codec)(errors)
    with open_bytes(path) as stream:
        # read1 hands over what could be unpacked; read would keep it back when it meets the damage behind it.
        while raw := cast("io.BufferedReader", stream).read1(SAMPLE_BYTES):
            yield decoder.decode(raw)
    yield decoder.decode(b"", final=True)


def read_lines(path: Path, encoding: str | None) -> Iterator[tuple[int, str] | Finding]:
    """(1-based number, line without its end) of each line that is not blank; a finding for each that is unreadable."""
    number = 0
    with open_text(path, encoding) as stream:
        try:
            while line := stream.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith("\n"):
                    skip_line(stream)
                    yield name_long_line(path, number)
                elif text := line.rstrip("\r\n").lstrip("\ufeff" if number == 1 else ""):
                    yield number, text
        except DAMAGE as error:
            yield name_damage(path, number + 1, error)


def read_text(path: Path, encoding: str | None, limit: int) -> tuple[str, Finding | None]:
    """The file as text, `limit` characters of it or a little more, and the finding for a place that cannot be read."""
    parts: list[str] = []
    damage = None
    try:
        for part in read_pieces(path, encoding):
            parts.append(part)
            if sum(map(len, parts)) >= limit:
                break
    except DAMAGE as error:
        damage = name_damage(path, 1, error)
    return "".join(parts).lstrip("\ufeff"), damage


def read_start(path: Path, encoding: str | None) -> str:
    """The first characters of the file, a million or all; as many as can be unpacked of a damaged one."""
    text = ""
    try:
        for part in read_pieces(path, encoding):
            text += part
            if len(text) >= SAMPLE_BYTES:
                break
    except DAMAGE:
        pass
    return text.lstrip("\ufeff")


def skip_line(stream: io.TextIOWrapper) -> None:
    """Read to the end of the current line without keeping it."""
    while part := stream.readline(SAMPLE_BYTES):
        if part.endswith("\n"):
            return


def name_long_line(path: Path, number: int) -> Finding:
    """The finding for a line above the limit."""
    return make_finding("bad_json", "error", (str(path), number), {"variant": "too_long", "limit": f"{LONGEST_LINE:,}"})


def name_damage(path: Path, line: int, error: Exception) -> Finding:
    """The finding for a file that cannot be read on from here."""
    variant = "stream" if isinstance(error, UnicodeError) else "gzip"
    return make_finding("bad_encoding", "error", (str(path), line), {"variant": variant, "reason": str(error)})


def read_sample(path: Path) -> bytes:
    """The file's first bytes; as many as can be unpacked of a damaged gzip file."""
    raw = b""
    with open_bytes(path) as stream:
        try:
            while len(raw) < SAMPLE_BYTES and (part := cast("io.BufferedReader", stream).read1(SAMPLE_BYTES)):
                raw += part
        except DAMAGE:
            pass
    return raw


def find_wide_encoding(sample: bytes) -> str | None:
    """UTF-16 or UTF-32, told by the byte order mark or by the zero bytes that ASCII has in them; None for all else.

    `sample`: the file's first bytes.
    """
    head = sample[:4096]
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    even, odd, half = head[0::2].count(0), head[1::2].count(0), max(1, len(head) // 2)
    # JSON keys and CSV separators are ASCII in any language: a fifth of the high bytes are zero even in Chinese text.
    if odd > half / 5 and even < odd / 10:
        return "utf-16-le"
    return "utf-16-be" if even > half / 5 and odd < even / 10 else None


def guess_encoding(path: Path, line: str, encoding: str | None) -> str:
    """What the bytes that are not UTF-8 look like ("gb18030", "cp1252", ...), or "" when nothing fits.

    `line` is a line with escaped bytes; its like in the file's first megabyte are looked at with it. Nothing is guessed
    where the user has named an `encoding`.
    """
    from charset_normalizer import from_bytes

    if encoding:
        return ""
    foreign = [line.encode("utf-8", "surrogateescape")]
    for raw in read_sample(path).split(b"\n"):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            foreign.append(raw)
    best = from_bytes(b"\n".join(foreign[:200]), cp_isolation=GUESSES).best()
    return best.encoding if best else ""
