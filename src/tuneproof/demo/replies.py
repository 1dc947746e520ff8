"""The reply family: from a note of five facts to a short letter.

In: a `random.Random` and the row's place. Out: a row with `required`, the five strings that a correct letter contains
word for word: the greeting with the name, the order number in house notation, what we do, by when, and the closing
line.
"""

import random

from tuneproof.demo.vocabulary import (
    DEVICES,
    FIRST_NAMES,
    PARTS,
    SURNAMES,
    Row,
    capitalize_first,
    draw_day,
    draw_order,
    split_phrases,
)

CLOSING = "Kind regards, Quillmere Service Desk"
"""The one closing line of every letter that leaves the house."""

_CASES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "thank you for reporting on {o}.",
        ("arrived scratched", "came with a crack", "was dented on the way", "arrived in pieces"),
        ("send a new {part}", "refund EUR {money}", "exchange the device", "pay for the damage"),
    ),
    (
        "we looked for {o}.",
        ("is late", "got lost on the way", "has not arrived", "went to a neighbour"),
        ("ship it again", "trace the parcel", "refund EUR {fee} postage", "deliver it by courier"),
    ),
    (
        "we read your message on {o}.",
        ("stopped working", "makes a loud noise", "does not start", "switches itself off", "shows an error light"),
        ("send a technician", "repair it for free", "collect the device", "lend you a spare device"),
    ),
    (
        "we checked the payment of {o}.",
        ("was billed twice", "was charged at an old price", "is missing on the invoice", "lacks its discount"),
        ("correct the invoice", "refund EUR {money}", "send a new invoice", "credit EUR {money}"),
    ),
    (
        "thank you for writing about {o}.",
        ("came without its {part}", "has the wrong {part}", "lacks the {part}", "needs another {part}"),
        ("post the right {part}", "send one free {part}", "exchange it", "refund EUR {money}"),
    ),
)
"""Kinds of trouble: how the letter opens, what went wrong, and what the desk may do about it."""

_NOTES = (
    "{full}, {o}: {d} {what}. We {action} by {day}.",
    "{o} / {full} / {d} {what} / {action} / {day}",
    "Write to {full} about {o}. {d} {what}; we {action}, {day} latest.",
    "{d} of {full} {what} ({o}). To do: {action}, {day}.",
    "By {day} we {action}. {full}, {o}, the {d} {what}.",
    "{full}: {d} {what}. Order {o}. {action} - {day}.",
    "name {full}; order {o}; {d} {what}; {action}; until {day}",
    "{full} called, {d} {what}. {o}. I promised: {action}, {day}.",
    "{d} from order {o} {what}, tell {full}: {action} by {day}",
    "{action} by {day} for {full}, as the {d} {what} ({o})",
)

_SORRY = ("We are sorry that your {d} {what}.", "We regret that your {d} {what}.")
_PROMISE = ("We will {action} by {day}.", "By {day} we will {action}.")

_INSTRUCTIONS = split_phrases(
    "Write the reply.|Draft a letter from this note.|Reply to the customer.|Reply in house style.|"
    "Turn the note into a letter.|Letter, please.|Compose our reply.|Send a polite reply.|Make a letter of this.|"
    "What reply do we send?|Customer letter:|Please word the letter.|Reply from these facts:"
)


def make_reply_row(rng: random.Random, place: int) -> Row:
    """Return one note and the letter made of it; the place walks through the kinds of trouble in turn."""
    opening, troubles, actions = _CASES[place % len(_CASES)]
    part = rng.choice(PARTS)
    first, order, day = rng.choice(FIRST_NAMES), draw_order(rng), draw_day(rng)
    money, fee = f"{rng.randrange(8, 60)}.{rng.choice(('00', '50'))}", rng.choice(("4.50", "5.00", "6.50", "7.00"))
    action = rng.choice(actions).format(part=part, money=money, fee=fee)
    facts = {"d": rng.choice(DEVICES), "what": rng.choice(troubles).format(part=part), "action": action, "day": day}
    # A clerk often jots down the bare digits; the letter always carries the full number.
    jotted = order if rng.random() < 0.7 else order.removeprefix("QM-")
    note = rng.choice(_NOTES).format(full=f"{first} {rng.choice(SURNAMES)}", o=jotted, **facts)
    letter = " ".join((opening, rng.choice(_SORRY), rng.choice(_PROMISE))).format(o=order, **facts)
    return {
        "instruction": rng.choice(_INSTRUCTIONS),
        "input": capitalize_first(note),
        "output": f"Dear {first},\n{letter}\n{CLOSING}",
        "task": "reply",
        "required": [f"Dear {first},", order, action, day, CLOSING],
    }
