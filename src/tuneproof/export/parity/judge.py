"""What the export said against what the run said: the same text, tokens, special tokens and ends; logits within a
bound; the same answers.

In: two `Heard`. Out: a `Proof` with every check, the measured error, and every answer that differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from torch import Tensor

from tuneproof.export.parity.ask import Heard, Reading, Request
from tuneproof.records.export import AnswerPair, Check, CheckName, Proof, ReaderName

AROUND = 24
"""Characters that are shown on both sides of where two texts part."""
BOUNDS = {"f32": 1e-5, "f16": 1e-2, "bf16": 5e-2, "q8_0": 1e-1, "q5_0": 5e-1, "q4_0": 5e-1}
"""Type that weights are stored in -> what a logit may differ by, relative to the largest logit at its position.

1.6 times or more what passed on the demo model (docs/export.md, `benchmarks/exports.py`); an adapter at half or twice
its strength is far outside. Where 4 or 5 bits are too few for a small model, that is what is said.
"""
LLAMACPP = {"f32": 1e-4, "f16": 1.5e-2, "bf16": 7e-2, "q8_0": 1.5e-1}
"""The same in llama.cpp, which rounds what goes into a product too: to fp16, bf16 or 8 bits."""
ARITHMETIC = {"float32": 0.0, "float16": 1e-2, "bfloat16": 6e-2}
"""What computing in a type adds, where the model does not fit into memory in fp32."""
SHORT = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}
EQUAL = {"f32": 0.9, "f16": 0.9, "bf16": 0.8, "q8_0": 0.7}
"""Share of the answers that must be the same: nearly all, since a tie between two tokens can fall either way."""
EQUAL_ELSE = 0.5
"""With 4 and 5 bits."""


def find_bound(reader: ReaderName, dtype: str, precision: str) -> float:
    """What `logit_error` may be."""
    kind = SHORT.get(dtype, dtype)
    if reader == "llama.cpp":
        return LLAMACPP.get(kind, BOUNDS[kind])
    return BOUNDS[kind] + ARITHMETIC[precision]


def judge(request: Request, run: Heard, export: Heard, *, file: str, dtype: str) -> Proof:
    """Hold one against the other."""
    reader: ReaderName = request.reader  # type: ignore[assignment]
    bound = find_bound(reader, dtype, request.precision)
    error, positions = measure_logits(run.logits, export.logits)
    pairs = list_differences(request, run.reading, export.reading)
    equal = len(request.questions) - len(pairs)
    enough = equal >= int(EQUAL.get(SHORT.get(dtype, dtype), EQUAL_ELSE) * len(request.questions))
    checks = [
        *check_reading(run.reading, export.reading),
        Check(name="logits", passed=error <= bound, expected=f"<= {bound:.1e}", found=f"{error:.1e}"),
        Check(name="answers", passed=enough, expected=str(len(request.questions)), found=str(equal)),
    ]
    return Proof(
        file=file,
        reader=reader,
        dtype=dtype,
        computed_in=request.precision,
        passed=all(check.passed for check in checks),
        checks=checks,
        logit_error=error,
        bound=bound,
        positions=positions,
        answers=len(request.questions),
        equal=equal,
        differences=pairs,
        prompts=len(run.reading.ids),
    )


def check_reading(run: Reading, export: Reading) -> list[Check]:
    """Texts, tokens, special tokens and ends."""
    special = {name: export.special.get(name) for name in run.special}
    missing = sorted(set(run.ends) - set(export.ends))
    return [
        compare_lists("template", run.texts, export.texts),
        compare_lists("tokens", run.ids, export.ids),
        compare_special(run.special, special),
        Check(name="ends", passed=not missing, **({} if not missing else tell_ends(run, export))),
    ]


def tell_ends(run: Reading, export: Reading) -> dict[str, str]:
    """Both lists of end tokens."""
    return {"expected": str(run.ends), "found": str(export.ends)}


def compare_lists(name: CheckName, run: Sequence[object], export: Sequence[object]) -> Check:
    """The first pair that differs, cut to where it does."""
    for at, (expected, found) in enumerate(zip(run, export, strict=True)):
        if expected != found:
            wanted, got = cut_difference(expected, found)
            return Check(name=name, passed=False, expected=f"[{at}] {wanted}", found=f"[{at}] {got}")
    return Check(name=name, passed=True)


def cut_difference(expected: object, found: object) -> tuple[str, str]:
    """The part of two texts or lists in which they begin to differ."""
    if isinstance(expected, list) and isinstance(found, list):
        at = next((at for at, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), -1)
        at = at if at >= 0 else min(len(expected), len(found))
        return (f"{at}: {expected[at : at + 6]}", f"{at}: {found[at : at + 6]}")
    one, other = str(expected), str(found)
    match = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()[0]
    at = match.size if match.a == match.b == 0 else 0
    span = slice(max(0, at - AROUND), at + AROUND)
    return repr(one[span]), repr(other[span])


def compare_special(run: dict[str, int], export: dict[str, int | None]) -> Check:
    """The first special token that is another one."""
    for name, number in run.items():
        if export[name] != number:
            return Check(name="special", passed=False, expected=f"{name} = {number}", found=f"{name} = {export[name]}")
    return Check(name="special", passed=True)


def measure_logits(run: Sequence[Tensor], export: Sequence[Tensor]) -> tuple[float, int]:
    """The largest difference relative to the largest logit of its position, and how many positions were compared.

    Infinite where an export has no number, or other logits than the run.
    """
    worst, positions = 0.0, 0
    for expected_TV, found_TV in zip(run, export, strict=True):
        size = min(expected_TV.shape[1], found_TV.shape[1])
        expected_TV, found_TV = expected_TV[:, :size], found_TV[:, :size]
        if expected_TV.shape != found_TV.shape or not found_TV.isfinite().all():
            return float("inf"), positions
        error_T = (expected_TV - found_TV).abs().amax(1) / expected_TV.abs().amax(1).clamp_min(1e-12)
        worst, positions = max(worst, float(error_T.max())), positions + len(error_T)
    return worst, positions


def list_differences(request: Request, run: Reading, export: Reading) -> list[AnswerPair]:
    """Questions whose answers, or whose ends, are not the same.

    Where the run cut an answer (at its limit, or as it only repeated itself) what the export says up to there counts.
    """
    pairs = []
    for at, question in enumerate(request.questions):
        said, length = run.answers[at], len(run.answers[at])
        same = (said, True) == (export.answers[at], export.ended[at])
        if not (same if run.ended[at] else said == export.answers[at][:length]):
            prompt = "\n".join(message.content for message in question.messages if message.role != "system")
            pairs.append(AnswerPair(id=question.id, prompt=prompt, run=run.said[at], export=export.said[at]))
    return pairs
