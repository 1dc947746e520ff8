"""How many of the questions that a base asks itself it answers within a limit, and what that costs.

    python benchmarks/own_turns.py --model demo --count 64

Replay keeps whole answers only (`training/replay.keep_answer`). Printed: questions drawn and kept, then the answers
that are kept within 64, 128 and 256 tokens, with the seconds that all of them took.
"""

from __future__ import annotations

import argparse
import time

from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import load_base
from tuneproof.records import Message
from tuneproof.training.replay import keep_answer
from tuneproof.training.turns import Draw, draw_turns

LIMITS = (64, 128, 256)


def main() -> None:
    """Draw, answer, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=64)
    options = parser.parse_args()
    base = load_base(options.model, device="cpu", dtype="float32")
    started = time.perf_counter()
    questions = list(draw_turns(base.model, base.tokenizer, Draw(options.count, 1, options.count)))
    print(f"{options.count} drawn, {len(questions)} kept, {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    made = generate_answers(
        base.model,
        [encode_prompt(base.tokenizer, [Message(role="user", content=question)]) for question in questions],
        limits=[LIMITS[-1]] * len(questions),
        ends=end_ids(base.tokenizer, base.model.generation_config),
        batch_size=len(questions),
    )
    texts = [base.tokenizer.decode(one.ids, skip_special_tokens=True).strip() for one in made]
    kept = [
        len(one.ids)
        for question, text, one in zip(questions, texts, made, strict=True)
        if keep_answer(question, text, one)
    ]
    for limit in LIMITS:
        print(f"answers kept of at most {limit} tokens: {sum(length <= limit for length in kept)} of {len(questions)}")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
