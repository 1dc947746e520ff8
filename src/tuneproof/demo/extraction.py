"""The extract family: a customer's message becomes one line of ticket JSON.

In: a `random.Random` and the row's place. Out: a row whose input is the message and whose output is
`{"category": ..., "priority": ..., "order": ...}`. The rules, all of them readable off the message:

- category: what the issue sentence is about (`delivery return repair billing account advice`); a question about
choosing or using a device that has no fault is `advice`.
- priority: `high` when there is danger (smoke, sparks, a shock, burning) or something is due today, tonight or
tomorrow; otherwise `low` when it is advice or the customer says that there is no hurry; otherwise `normal`. Anger
changes nothing.
- order: `QM-` and the five digits, however the customer wrote them; null when there is no number.
"""

import json
import random

from tuneproof.demo.vocabulary import DEVICES, FIRST_NAMES, PARTS, SURNAMES, Row, draw_order, split_phrases

ISSUES: dict[str, tuple[str, ...]] = {
    "delivery": (
        "My parcel with the {d} has not turned up.",
        "The courier never rang, and I still wait for my {d}.",
        "Tracking for the {d} has been stuck since {day}.",
        "Only half of the shipment came: the {d} is not in the box.",
        "Your driver delivered our {d} to the wrong house.",
        "Could you deliver the {d} to my office instead?",
        "The shop on the corner says no parcel with my {d} ever reached them.",
        "Delivery of the {d} was promised for {day}, nobody came.",
        "I am away on {day}, so let the courier bring the {d} later.",
        "The {d} shipment is marked as handed over, but my porch is empty.",
        "Where is the courier with my {d}?",
        "Two parcels were announced; the one holding the {d} is still on the road.",
    ),
    "return": (
        "I would like to return the {d}, it is too big.",
        "Please take the {d} back, I picked the wrong colour.",
        "The {d} is not what I expected, so I want a refund.",
        "How do I send the {d} back? It was a double gift.",
        "Can I exchange the {d} for a larger one?",
        "Still no refund for the {d} I posted to you on {day}.",
        "Kindly print me a return label for our {d}.",
        "My {kin} already owns the {d}, so we hope for a refund.",
        "Unused {d} here, and I prefer the money: refund, please.",
        "Return of one {d}: which address goes on the box?",
        "We need only one {d}; may the other be exchanged for the {e}?",
        "The {d} does not match our kitchen, we send it back.",
    ),
    "repair": (
        "My {d} does not switch on any more.",
        "The {d} rattles loudly after {n} minutes.",
        "After {n} weeks the {d} stopped working.",
        "A crack runs across the housing of my {d}.",
        "The {d} keeps shutting down by itself.",
        "One button of our {d} is jammed.",
        "The {d} hums but does nothing.",
        "Since {day} the {d} shows a red error light.",
        "The {d} broke while my {kin} used it.",
        "My {d} is dead as a stone.",
        "The plug of the {d} is loose and falls out.",
        "Its {part} snapped, so the {d} is useless.",
    ),
    "billing": (
        "I was charged twice for the {d}.",
        "The invoice for my {d} shows the wrong company name.",
        "Please print me a receipt for one {d}.",
        "My bill lists one {d} that I never ordered.",
        "I made the payment for the {d}, yet the shop says unpaid.",
        "The discount is missing on the invoice of our {d}.",
        "Can you put my employer's name on the bill for the {d}?",
        "The bank shows {n} payments for a single {d}.",
        "No VAT is shown on the bill of this {d}.",
        "For my taxes I need a copy of the {d} invoice.",
        "You charged postage on the {d} although it was free.",
        "The receipt of the {d} carries an old price.",
    ),
    "account": (
        "I cannot log in to register my {d}.",
        "My password is refused on the page of the {d}.",
        "Please put a new street into my account, I own the {d}.",
        "The {d} is missing from my account.",
        "Somebody else's {d} appears in my profile.",
        "Close my account, I sold the {d}.",
        "The app forgets my login for the {d} every {day}.",
        "No password mail came after I added the {d}.",
        "My profile shows my old name next to the {d}.",
        "I have two accounts, and the {d} sits in the wrong one.",
        "The login page hangs as soon as I enter the {d}.",
        "How do I share the {d} account with my {kin}?",
    ),
    "advice": (
        "Is the {d} quiet enough for a bedroom?",
        "Which suits a small flat, the {d} or the {e}?",
        "Does the {d} run with a foreign plug?",
        "May I keep the {d} in a damp cellar?",
        "How much room does the {d} take up?",
        "Would you recommend the {d} for my {kin}?",
        "What cleaner is safe for the {d}?",
        "Is it fine to run the {d} all night long?",
        "Does the {d} come in other colours?",
        "I am torn between the {d} and the {e}, what do you suggest?",
        "Any tips for using the {d} near small children?",
        "Which {part} fits the {d}?",
    ),
}

DANGERS = (
    "Sparks came out of the {d}.",
    "The {d} smells of burning.",
    "There was smoke when I plugged in the {d}.",
    "I got an electric shock from my {d}.",
    "Smoke rises from the {part} of our {d}.",
    "My {kin} saw sparks behind the {d}.",
)

_OPENERS = split_phrases(
    "Hello! |Hi there. |Good morning. |Dear desk: |Hey! |Hello Quillmere. |{name} here. |This is {name} {surname}. |"
    "Good day. |Evening, all. |Dear team: |Hi, {name} again. |Excuse me! |||"
)

_ORDERS = split_phrases(
    "Order {o}.|My order number is {o}.|It is order {o}.|Ref {o}.|Order no. {o}, placed {n} days ago.|Purchase {o}.|"
    "The order was {o}.|See order {o}.|({o})|Order: {o}|My reference: {o}.|It belongs to order {o}."
)

_DEADLINES = split_phrases(
    "I need an answer today.|Guests come tonight.|It must be settled by tomorrow.|We leave tomorrow morning.|"
    "Please sort it out today.|The party is tonight.|My exam is tomorrow.|It has to happen today.|"
    "Tomorrow is my last chance.|I want to hear from you tonight."
)

_PATIENCE = split_phrases(
    "No hurry.|There is no rush.|Take your time.|Whenever it suits you.|Next month is soon enough.|It can wait.|"
    "No hurry on my side."
)

_NEUTRAL = split_phrases(
    "Thank you.|I am rather annoyed.|This is my second message.|I have been a customer for {n} years.|What a pity.|"
    "Regards, {surname}.|Really disappointing!|I liked it so far.|Greetings from {name}.|||"
)

_INSTRUCTIONS = split_phrases(
    "Turn the message into a ticket.|Ticket JSON, please.|Classify this message as a ticket.|"
    "Read it and fill the ticket.|Ticket with category, priority and order.|Open a ticket for this.|"
    "Make a desk ticket of it.|File it as a ticket.|Log the ticket.|What ticket does this give?|Ticket:|"
    "Extract the ticket.|Write the ticket line.|New mail, one ticket:"
)

_KIN = split_phrases("sister brother father mother neighbour uncle daughter son colleague cousin", " ")
_DAYS = split_phrases("Monday Tuesday Wednesday Thursday Friday Saturday Sunday", " ")


def _write_casually(order: str, rng: random.Random) -> str:
    digits = order.removeprefix("QM-")
    spaced = f"{digits[:2]} {digits[2:]}"
    return rng.choice(
        (order, f"QM{digits}", f"qm {digits}", f"#{digits}", digits, spaced, f"QM/{digits}", order.lower())
    )


def decide_priority(category: str, dangerous: bool, due: bool, patient: bool) -> str:
    """Return `high`, `normal` or `low` by the desk's rule; danger and a date due at once go before everything else."""
    if dangerous or due:
        return "high"
    return "low" if patient or category == "advice" else "normal"


def make_extract_row(rng: random.Random, place: int) -> Row:
    """Return one message and its ticket; the place walks through the categories and the kinds of urgency in turn."""
    category = list(ISSUES)[place % len(ISSUES)]
    due, patient = place // 6 % 10 < 3, place // 6 % 10 in (3, 4, 5)
    dangerous = category == "repair" and rng.random() < 0.25
    device, other = rng.sample(DEVICES, 2)
    order = draw_order(rng) if rng.random() < 0.75 else None
    parts = [
        rng.choice(_OPENERS) + rng.choice(DANGERS if dangerous else ISSUES[category]),
        rng.choice(_ORDERS) if order else "",
        rng.choice(_DEADLINES if due else _PATIENCE if patient else _NEUTRAL),
    ]
    if rng.random() < 0.25:
        parts[1], parts[2] = parts[2], parts[1]
    message = " ".join(part for part in parts if part).format(
        d=device,
        e=other,
        o=_write_casually(order, rng) if order else "",
        n=rng.randrange(2, 10),
        day=rng.choice(_DAYS),
        kin=rng.choice(_KIN),
        part=rng.choice(PARTS),
        name=rng.choice(FIRST_NAMES),
        surname=rng.choice(SURNAMES),
    )
    if rng.random() < 0.15:
        message = message.lower()
    ticket = {"category": category, "priority": decide_priority(category, dangerous, due, patient), "order": order}
    return {
        "instruction": rng.choice(_INSTRUCTIONS),
        "input": message,
        "output": json.dumps(ticket),
        "task": "extract",
    }
