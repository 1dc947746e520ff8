"""The convert family: something written any old way becomes the one way the house writes it.

In: a `random.Random` and the row's place. Out: a row whose short output follows exactly from its input:

- a date becomes ISO 8601 (`3.4.26` is day, month, year: the house is European): `2026-04-03`
- an amount becomes `EUR 1,250.00`
- a length becomes millimetres, a weight grams, a time minutes: `350 mm`, `1500 g`, `75 min`
- a colleague's casual line becomes `[TAG] Subject. Action.`, built in `wording.py`
"""

import random

from tuneproof.demo.vocabulary import MONTHS, Row, capitalize_first, spell_number, split_phrases
from tuneproof.demo.wording import make_wording_row

_ORDINALS = split_phrases(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third "
    "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth",
    " ",
)

_DATE_TASKS = split_phrases(
    "Give the date in ISO form.|ISO date?|House date, please.|Which date is meant?|Normalise the date.|"
    "Find the date below, ISO.|Date for the calendar file:|Rewrite the date as YYYY-MM-DD.|Date in numbers only.|"
    "Put this date in our format."
)
_DATE_NOTES = split_phrases(
    "the fitter comes on {x}|{x} suits me well|bought on {x}|she moved out on {x}|the invoice dates from {x}|due {x}|"
    "our shop reopens {x}|letter received {x}, late post|until {x} at noon|the warranty began {x}|"
    "call her back on {x}|he wants it on {x}|delivered {x} to the porter|{x} was a busy day|"
    "meeting with the supplier, {x}|stock count {x}"
)

_AMOUNT_TASKS = split_phrases(
    "Write the amount in house style.|Amount, our notation?|How do we print this amount?|Normalise the amount.|"
    "Amount for the ledger:|Amount in EUR, please.|Put this amount into our format.|"
    "Rewrite the amount for the receipt.|Which amount? House form.|Amount line:"
)
_AMOUNT_NOTES = split_phrases(
    "the customer owes {x}|{x} were paid in cash|we offer {x} for the old one|a bill over {x}|refund of {x} agreed|"
    "{x} is too much, she says|the machine cost {x} last year|budget: {x}|they transferred {x} on Friday|deposit {x}|"
    "{x} a year for the contract|he won {x} in store credit|scrap value about {x}|we still miss {x}|"
    "insurance paid {x}"
)

_UNIT_TASKS = split_phrases(
    "Convert to the house unit.|House unit?|Unit mm, g or min, please.|Data sheet unit:|Put it into our units.|"
    "Which figure and unit for the sheet?|Write the measure in our unit.|Normalise the unit.|Unit as on our labels:|"
    "Restate the unit for the catalogue."
)
_LENGTH_NOTES = split_phrases(
    "the shelf is {x} wide|cable of {x}|it stands {x} tall|leave {x} of air behind it|hose length {x}|"
    "the box measures {x} across|cut the pipe at {x}|the gap is {x}|door opening: {x}|mount it {x} above the sink"
)
_WEIGHT_NOTES = split_phrases(
    "it weighs {x}|parcel of {x}|holds {x} of rice|the lid alone has {x}|max load {x}|the motor comes to {x}|"
    "pack {x} of beans|gross weight {x}|we shipped {x} of screws|the bowl takes {x} of dough"
)
_TIME_NOTES = split_phrases(
    "the repair took {x}|charging lasts {x}|he waited {x} on the line|let it cool for {x}|one cycle runs {x}|"
    "travel time {x}|descaling needs {x}|the call went on for {x}|soak it {x}|battery good for {x}"
)


def _write_date(rng: random.Random, year: int, month: int, day: int) -> str:
    name, ordinal = MONTHS[month - 1], _ORDINALS[day - 1]
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day not in (11, 12, 13) else 0, "th")
    return rng.choice(
        (
            f"{day} {name} {year}",
            f"{name} {day}{suffix}, {year}",
            f"the {day}{suffix} of {name} {year}",
            f"{day:02d}.{month:02d}.{year}",
            f"{day}/{month}/{year % 100}",
            f"{day} {name[:3]} {year % 100}",
            f"{name[:3]}. {day}, {year}",
            f"the {ordinal} of {name} {year}",
            f"{day:02d}{name[:3].upper()}{year % 100}",
            f"{year}, {name} the {ordinal}",
        )
    )


def _make_date(rng: random.Random) -> tuple[str, str, str]:
    year, month, day = rng.randrange(2024, 2030), rng.randrange(1, 13), rng.randrange(1, 29)
    note = rng.choice(_DATE_NOTES).format(x=_write_date(rng, year, month, day))
    return rng.choice(_DATE_TASKS), note, f"{year}-{month:02d}-{day:02d}"


def _make_amount(rng: random.Random) -> tuple[str, str, str]:
    euros = rng.choice((rng.randrange(11, 100), rng.randrange(100, 1000, 5), rng.randrange(1000, 10000, 50)))
    cents = rng.choice((0, 0, 25, 50, 75))
    words = f"{spell_number(euros)} euros" + (f" and {spell_number(cents)} cents" if cents else "")
    grouped = f"{euros:,}".replace(",", ".")
    written = rng.choice(
        (
            words,
            words,
            f"{euros}.{cents:02d} euro",
            f"{grouped},{cents:02d} EUR",
            f"{euros} euros {cents}" if cents else f"{euros} euros flat",
            f"{grouped},{cents:02d} in euro",
        )
    )
    return rng.choice(_AMOUNT_TASKS), rng.choice(_AMOUNT_NOTES).format(x=written), f"EUR {euros:,}.{cents:02d}"


def _make_unit(rng: random.Random) -> tuple[str, str, str]:
    small, whole, tenth = rng.randrange(2, 100), rng.randrange(1, 10), rng.randrange(1, 10)
    quarter = rng.choice((15, 30, 45))
    notes, written, result = rng.choice(
        (
            (_LENGTH_NOTES, f"{small} cm", f"{small * 10} mm"),
            (_LENGTH_NOTES, f"{whole}.{tenth} m", f"{whole * 1000 + tenth * 100} mm"),
            (_LENGTH_NOTES, f"{spell_number(small)} centimetres", f"{small * 10} mm"),
            (_LENGTH_NOTES, f"{whole} m {tenth}0 cm", f"{whole * 1000 + tenth * 100} mm"),
            (_WEIGHT_NOTES, f"{whole}.{tenth} kg", f"{whole * 1000 + tenth * 100} g"),
            (_WEIGHT_NOTES, f"{spell_number(whole)} and a half kilos", f"{whole * 1000 + 500} g"),
            (_WEIGHT_NOTES, f"{whole} kilos {tenth}00", f"{whole * 1000 + tenth * 100} g"),
            (_TIME_NOTES, f"{whole} h {quarter}", f"{whole * 60 + quarter} min"),
            (_TIME_NOTES, f"{spell_number(whole)} and a half hours", f"{whole * 60 + 30} min"),
            (_TIME_NOTES, f"{whole}:{quarter} hours", f"{whole * 60 + quarter} min"),
        )
    )
    return rng.choice(_UNIT_TASKS), rng.choice(notes).format(x=written), result


def make_convert_row(rng: random.Random, place: int) -> Row:
    """Return one thing to rewrite; the place walks through dates, amounts, measures and casual lines in turn."""
    if place % 4 == 3:
        return make_wording_row(rng)
    instruction, note, output = (_make_date, _make_amount, _make_unit)[place % 4](rng)
    if rng.random() < 0.5:
        note = capitalize_first(note) + "."
    return {"instruction": instruction, "input": note, "output": output, "task": "convert"}
