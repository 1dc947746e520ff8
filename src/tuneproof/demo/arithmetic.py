"""The invoice family: a small purchase of spare parts, worked out step by step.

In: a `random.Random` and the row's place. Out: a row whose output is one line of steps and a last line with the total:

    2 x 12.50 = 25.00; 25.00 + 5.00 = 30.00
    Total: 30.00 EUR

Money is counted in whole cents, never in floats; the numbers stay small, so that a small model can learn some of it.
"""

import random

from tuneproof.demo.vocabulary import FIRST_NAMES, PARTS, Row, split_phrases

_PRICES = (150, 200, 250, 300, 400, 450, 500, 600, 750, 800, 1000, 1200, 1250, 1500, 2000)
_CHARGES = (200, 300, 400, 500, 600)
_DISCOUNTS = (10, 20, 25, 50)

_BUYING = (
    "{q} {a} at {p} each",
    "{name} buys {q} {a}, {p} apiece",
    "{q} {a} for {p} per piece",
    "{q} pcs {a}, unit price {p}",
    "{name} ordered {q} {a} costing {p} each",
    "{a}: {q} pieces, {p} a piece",
    "The basket holds {q} {a} ({p} each)",
    "{q} {a} go to {name} at {p} a piece",
)
_ADDING = (
    " and {q} {a} at {p} each",
    ", plus {q} {a} for {p} apiece",
    "; also {q} {a}, {p} each",
    ", together with {q} {a} ({p} a piece)",
    "; {q} pcs {a} at {p}",
)
_SHIPPING = (
    "; shipping {p}",
    ", and postage is {p}",
    ", delivered for {p}",
    " (courier {p} on top)",
    "; add {p} for the parcel",
    ", freight {p}",
)
_CUTTING = (
    ", {v}% off",
    "; discount {v}%",
    ", minus {v} percent loyalty bonus",
    " with a {v}% student rebate",
    "; we grant {v} percent off the goods",
)
_CREDITING = (
    "; gift card of {p}",
    ", less a voucher worth {p}",
    ", minus {p} credit",
    " and {p} was paid before",
    "; take off the deposit of {p}",
)

_INSTRUCTIONS = split_phrases(
    "Work out the invoice.|Invoice: what does the customer pay?|Steps and total, please.|Compute the invoice total.|"
    "Add up this order, with total.|Write the invoice lines.|What is the total?|Calculate the invoice.|"
    "Total of this basket?|Invoice this sale.|Show the steps and the total.|Invoice for the purchase below.|"
    "Cash desk, total:|Reckon the total."
)


def format_cents(cents: int) -> str:
    """Return whole cents as an amount with two decimals, `1250` as `12.50`."""
    return f"{cents // 100}.{cents % 100:02d}"


def _pluralize(part: str) -> str:
    if part.endswith("y") and part[-2] not in "aeiou":
        return part[:-1] + "ies"
    return part + ("es" if part.endswith(("sh", "ch", "s")) else "s")


class _Bill:
    """A purchase while it is written: what the clerk jots down, the steps, and the total in cents."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.text = ""
        self.steps: list[str] = []
        self.total = 0

    def _quote(self, cents: int) -> str:
        """Write a price the way a clerk does: in full, short, or with the currency."""
        short = format_cents(cents) if cents % 100 else str(cents // 100)
        return self.rng.choice((short, f"{short} EUR", f"EUR {format_cents(cents)}", format_cents(cents)))

    def _change(self, sign: str, cents: int) -> None:
        before, self.total = self.total, self.total + (cents if sign == "+" else -cents)
        self.steps.append(f"{format_cents(before)} {sign} {format_cents(cents)} = {format_cents(self.total)}")

    def buy(self, patterns: tuple[str, ...]) -> None:
        quantity, price = self.rng.randrange(2, 7), self.rng.choice(_PRICES)
        self.text += self.rng.choice(patterns).format(
            q=quantity,
            a=_pluralize(self.rng.choice(PARTS)),
            p=self._quote(price),
            name=self.rng.choice(FIRST_NAMES),
        )
        cost = quantity * price
        self.steps.append(f"{quantity} x {format_cents(price)} = {format_cents(cost)}")
        if self.total:
            self._change("+", cost)
        else:
            self.total = cost

    def ship(self) -> None:
        charge = self.rng.choice(_CHARGES)
        self.text += self.rng.choice(_SHIPPING).format(p=self._quote(charge))
        self._change("+", charge)

    def cut(self) -> None:
        even = [percent for percent in _DISCOUNTS if self.total * percent % 1000 == 0]
        percent = self.rng.choice(even or [50])
        saved = self.total * percent // 100
        self.text += self.rng.choice(_CUTTING).format(v=percent)
        self.steps.append(f"{percent}% of {format_cents(self.total)} = {format_cents(saved)}")
        self._change("-", saved)

    def credit(self) -> None:
        credit = self.rng.choice([cents for cents in _CHARGES if cents < self.total])
        self.text += self.rng.choice(_CREDITING).format(p=self._quote(credit))
        self._change("-", credit)


def make_invoice_row(rng: random.Random, place: int) -> Row:
    """Return one purchase and its invoice; the place walks through shipping, discount, credit and two items in turn."""
    bill = _Bill(rng)
    bill.buy(_BUYING)
    (bill.ship, bill.cut, bill.credit, lambda: bill.buy(_ADDING))[place % 4]()
    return {
        "instruction": rng.choice(_INSTRUCTIONS),
        "input": bill.text[:1].upper() + bill.text[1:] + ".",
        "output": "; ".join(bill.steps) + f"\nTotal: {format_cents(bill.total)} EUR",
        "task": "invoice",
    }
