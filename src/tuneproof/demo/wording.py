"""The casual lines of the convert family: how colleagues talk, and the one line the log accepts.

In: a `random.Random`. Out: a row such as

    input   "yo, the orla kettle is totally dead, can somebody drive out?"
    output  "[FAULT] Orla kettle without power. Send technician."

Every way of saying a matter or a wish has exactly one house wording, so the answer follows from the input.
"""

import random

from tuneproof.demo.vocabulary import DEVICES, Row, split_phrases

_MATTERS: dict[str, tuple[str, ...]] = {
    "[FAULT] {d} without power": (
        "{d} is totally dead",
        "no life left in the {d}",
        "{d} won't even light up",
    ),
    "[FAULT] {d} makes noise": (
        "{d} screams like a cat",
        "{d} got super loud",
        "awful racket from some {d}",
    ),
    "[FAULT] {d} overheats": (
        "{d} is getting way too hot",
        "you could fry eggs on the {d}",
        "{d} runs crazy warm",
    ),
    "[FAULT] {d} cracked": (
        "big crack in the {d}",
        "{d} split down the side",
        "{d} came apart at the seam",
    ),
    "[PARCEL] {d} overdue": (
        "{d} should've been here ages ago",
        "guy's still waiting for his {d}",
        "where on earth is that {d}",
    ),
    "[PARCEL] {d} sent to wrong address": (
        "{d} landed at some stranger's place",
        "we mailed the {d} to the wrong house, ugh",
        "the neighbour street got our {d}",
    ),
    "[MONEY] {d} billed twice": (
        "they paid double for the {d}",
        "charged 'em two times for one {d}",
        "{d} is on the bill twice, oops",
    ),
    "[MONEY] {d} refund pending": (
        "still no cash back for the {d}",
        "lady wants her {d} money already",
        "we owe somebody for that {d}",
    ),
    "[STOCK] {d} sold out": (
        "not a single {d} left",
        "we're all out of the {d}",
        "{d} shelf is empty",
    ),
    "[STOCK] {d} running low": (
        "only a couple of {d} boxes on the shelf",
        "{d} is nearly gone",
        "down to the last few of the {d}",
    ),
}

_WISHES: dict[str, tuple[str, ...]] = {
    "Send technician": ("can somebody drive out", "get a repair guy over there", "someone's gotta go have a look"),
    "Call customer": ("give them a ring", "pick up the phone and talk to the customer", "ring 'em, will ya"),
    "Order supply": ("pls get more in", "buy some new ones, yeah?", "time to stock up"),
    "Issue refund": ("just give the money back", "pay it out already", "wire the cash pls"),
    "Ship replacement": ("mail a fresh one", "pop a new one in the post", "send another"),
    "Check invoice": ("have a peek at the bill", "go over the paperwork again", "is the invoice even right?"),
    "Inform warehouse": ("tell the guys in the hall", "let the warehouse know", "shout over to storage"),
    "Close case": ("we're done here, bin it", "nothing more to do, shut it", "file it away for good"),
}

_SENSIBLE = {
    "[FAULT]": ("Send technician", "Call customer", "Ship replacement", "Close case"),
    "[PARCEL]": ("Call customer", "Ship replacement", "Issue refund", "Inform warehouse"),
    "[MONEY]": ("Issue refund", "Check invoice", "Call customer", "Close case"),
    "[STOCK]": ("Order supply", "Inform warehouse", "Close case"),
}

_OPENERS = split_phrases("yo, |hey |hi all, |sooo |psst, |fyi |morning! |um, |ok so |heads up: |sorry, |again: |")
_JOINTS = split_phrases(", |... |! | - |; |, so |. ")
_ENDINGS = split_phrases("|!|..| thx| :)| cheers| ok?|, sorry")

_TASKS = split_phrases(
    "Rewrite for the log.|Log line, please.|Log entry?|Log it properly.|Clean up this note for the log.|"
    "Log: tag, subject, action.|Make it an official log line.|How do we log this?|Translate into log style.|"
    "Formal log version:|Put it in the log."
)


def make_wording_row(rng: random.Random) -> Row:
    """Return one casual line and the house line it stands for."""
    subject = rng.choice(list(_MATTERS))
    wish = rng.choice(_SENSIBLE[subject.split()[0]])
    device = rng.choice(DEVICES)
    casual = rng.choice(_MATTERS[subject]).format(d=device.lower() if rng.random() < 0.7 else device)
    line = rng.choice(_OPENERS) + casual + rng.choice(_JOINTS) + rng.choice(_WISHES[wish]) + rng.choice(_ENDINGS)
    return {
        "instruction": rng.choice(_TASKS),
        "input": line,
        "output": f"{subject.format(d=device)}. {wish}.",
        "task": "convert",
    }
