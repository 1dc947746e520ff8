"""What is done with a part of the rows, in a process of its own or in this one: checks of single rows, band keys.

In: a request, plain values that JSON can hold, with the folder of a store and a part of it. Out: the same. What is
large and the same for all parts lies in a file beside the rows.

    do_job({"job": "examine", "language": "en", "folder": folder, "part": store.list_parts()[0]})["findings"]
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tuneproof.data.answers import (
    find_absent_input,
    find_echoes,
    find_empty_instruction,
    find_empty_output,
    find_leaked_turns,
    find_refusals,
)
from tuneproof.data.arithmetic import find_wrong_arithmetic
from tuneproof.data.ending import Custom, judge_ending
from tuneproof.data.findings import RowCheck, make_case
from tuneproof.data.lexicon import Lexicon
from tuneproof.data.near import Grams, sign_texts
from tuneproof.data.people import find_people
from tuneproof.data.store import Part, read_part
from tuneproof.data.text import (
    find_absent_files,
    find_control_characters,
    find_mojibake,
    find_script_mismatch,
    find_template_tokens,
)
from tuneproof.data.traits import TRAIT, ClassTable, Numbers, RowClass
from tuneproof.messages import current_language, use_language
from tuneproof.records import Finding

ROW_CHECKS: tuple[RowCheck, ...] = (
    find_empty_instruction,
    find_empty_output,
    find_absent_input,
    find_refusals,
    find_leaked_turns,
    find_echoes,
    find_mojibake,
    find_control_characters,
    find_template_tokens,
    find_script_mismatch,
    find_absent_files,
    find_people,
    find_wrong_arithmetic,
)
Result = dict[str, Any]
COMMON, CUSTOMS = "common.npy", "customs.json"
"""Files beside the rows: which wordings many rows share; how the answers of each task end."""


def examine_part(request: Mapping[str, Any]) -> Result:
    """The traits of the rows, what is found about each by itself, and which of them have an error."""
    cases = [make_case(row) for row in read_part(Path(request["folder"]), Part(*request["part"]))]
    table = ClassTable()
    traits = table.describe(cases)
    found = [[finding for check in ROW_CHECKS for finding in check(case)] for case in cases]
    return {
        "traits": pack_array(traits),
        "classes": table.classes,
        "findings": [one.model_dump(mode="json") for one in chain.from_iterable(found)],
        "wrong": [at for at, some in enumerate(found) if any(one.severity == "error" for one in some)],
    }


def sign_part(request: Mapping[str, Any]) -> Result:
    """The band keys of the questions of some rows of a part. `rows`: which, counted from its first."""
    folder = Path(request["folder"])
    rows = read_part(folder, Part(*request["part"]))
    texts = [make_case(rows[at]).prompt for at in request["rows"]]
    return {"keys": pack_array(sign_texts(Grams([], load_common(folder)), texts))}


def judge_part(request: Mapping[str, Any]) -> Result:
    """Which answers of a part were cut. `rows`: which rows are looked at."""
    folder = Path(request["folder"])
    rows = read_part(folder, Part(*request["part"]))
    customs = load_customs(folder)
    found = chain.from_iterable(judge_ending(make_case(rows[at]), customs) for at in request["rows"])
    return {"findings": [one.model_dump(mode="json") for one in found]}


JOBS: dict[str, Callable[[Mapping[str, Any]], Result]] = {
    "examine": examine_part,
    "sign": sign_part,
    "judge": judge_part,
}


def do_job(request: Mapping[str, Any]) -> Result:
    """Do what is asked, in the language that is asked for."""
    before = current_language()
    use_language(request["language"])
    try:
        return JOBS[request["job"]](request)
    finally:
        use_language(before)


def serve_jobs() -> None:
    """Do one job a line until there are no more. Ctrl-C is for the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Jobs leave next to no cycles behind: looking for them after every 700 objects is a tenth of the time.
    gc.freeze()
    gc.set_threshold(100_000)
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(do_job(json.loads(line))) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # Nobody is left to hear it, and Python would try once more at its end.
        os._exit(1)


def read_findings(result: Result) -> list[Finding]:
    """The findings of a result."""
    return [Finding.model_validate(one) for one in result["findings"]]


def read_traits(result: Result, table: ClassTable) -> Numbers:
    """The traits of a result, their classes numbered as `table` does."""
    traits = np.frombuffer(b64decode(result["traits"]), dtype=TRAIT).copy()
    return table.renumber(traits, [RowClass(*one) for one in result["classes"]])


def pack_array(array: npt.NDArray[Any]) -> str:
    """An array as text."""
    return b64encode(array.tobytes()).decode()


def save_common(folder: Path, common: npt.NDArray[np.bool_]) -> None:
    """Put down which wordings many rows share."""
    np.save(folder / COMMON, common)


@lru_cache(maxsize=1)
def load_common(folder: Path) -> npt.NDArray[np.bool_]:
    """What `save_common` put down."""
    common: npt.NDArray[np.bool_] = np.load(folder / COMMON)
    return common


def save_customs(folder: Path, customs: Mapping[str, Custom]) -> None:
    """Put down how the answers of each task end."""
    told = {
        task: {
            "strict": one.strict,
            "trimmed": one.trimmed,
            "endings": one.endings,
            "words": one.lexicon.words,
            "inner": one.lexicon.inner,
            "beginnings": sorted(one.lexicon.beginnings),
        }
        for task, one in customs.items()
    }
    (folder / CUSTOMS).write_text(json.dumps(told), encoding="utf-8")


@lru_cache(maxsize=1)
def load_customs(folder: Path) -> dict[str, Custom]:
    """What `save_customs` put down."""
    told = json.loads((folder / CUSTOMS).read_text(encoding="utf-8"))
    return {
        task: Custom(
            one["strict"],
            one["trimmed"],
            one["endings"],
            Lexicon(Counter(one["words"]), Counter(one["inner"]), frozenset(one["beginnings"])),
        )
        for task, one in told.items()
    }
