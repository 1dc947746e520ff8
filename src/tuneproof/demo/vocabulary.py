"""The words of Quillmere, an invented maker of household devices: people, devices, parts, days, order numbers.

In: a `random.Random`. Out: plain strings that the five task families put into their sentences.
Every name here is made up; devices carry a coined name and a common noun ("Orla kettle"), so that neither tells a model
anything about price or warranty.

    >>> spell_number(1250)
    'one thousand two hundred and fifty'
"""

import random
from typing import Any

Row = dict[str, Any]
"""One line of the data set: instruction, input, output, task, and for replies `required`."""


def split_phrases(text: str, separator: str = "|") -> list[str]:
    """Return the phrases of `text`: dozens of short ones are easier to read as a paragraph than one a line."""
    return text.split(separator)


FIRST_NAMES = split_phrases(
    "Nadia Oskar Priya Mateo Ingrid Tomas Leila Henrik Amara Lucia Viktor Yusuf Clara Dmitri Elena Farah Gustav Hana "
    "Ivo Jana Kofi Lena Marek Nora Olek Paula Quentin Rosa Stefan Talia Ulla Vera Wanda Ximena Yara Zoltan Anton "
    "Bruna Cyril Daria Emil Flora Gideon Helga Imran Jolanta Karim Lotte Milan Noemi Otis Petra Rafael Signe Tariq "
    "Ursula Valentin Willem Zofia Adele Bashir Corinne Darius Esther Felix Greta Hugo Isolde Joachim Kamila Levi "
    "Mirela Nils Odette Pavel Ramona Selim Teresa Umar Vincent Wilma Yannick Zainab Arthur Beatriz Casper",
    " ",
)

SURNAMES = split_phrases(
    "Brandt Okafor Lindqvist Moreau Castellan Dvorak Eriksen Falk Grimaldi Hartwig Iversen Jansky Keller Larue Mbeki "
    "Novak Ortega Petrov Quist Rahimi Sandoval Thorne Ulrich Varga Wexler Yilmaz Zeman Abbott Bianchi Corby "
    "Delacroix Engel Ferreira Gallo Holm Ishikawa Jarvis Kowalski Lemaire Madsen",
    " ",
)

DEVICES = split_phrases(
    "Orla kettle|Senna toaster|Fenn desk lamp|Brio blender|Tarn heater|Moss humidifier|Pico radio|Vesta iron|"
    "Juno mixer|Halo fan|Rook drill|Linden clock|Dune vacuum|Opal hair dryer|Cove coffee maker|Alba floor lamp|"
    "Nimbus air purifier|Flint torch|Sable speaker|Ember grill|Birch kitchen scale|Lark doorbell|Onyx shaver|"
    "Wren alarm clock|Pebble charger|Reed steamer|Cedar dehumidifier|Iris camera|Marlow printer|Tilda sewing machine|"
    "Quartz hob|Basil rice cooker|Thistle trimmer|Heron pump|Otto food processor|Luma night light|"
    "Saffron waffle iron|Delta router|Finch headset|Kite thermostat|Coral dishwasher|Aspen freezer|Willow washer|"
    "Garnet oven|Topaz fridge|Sorrel juicer|Rowan pressure washer|Sage soap dispenser|Maple mop"
)

PARTS = split_phrases(
    "filter|seal|gasket|brush|cable|bulb|blade|lid|hose|fuse|battery|nozzle|knob|drip tray|charging dock|wall mount|"
    "water tank|dust bag|belt|handle|whisk|sieve|door hinge|cutting disc|remote|power adapter|carry case|rubber ring|"
    "glass jug|steam pad|ear pad|mesh screen|spare key|light cover|valve|spring|clip|thermal sleeve|crumb tray|"
    "fan grille"
)

MONTHS = split_phrases("January February March April May June July August September October November December", " ")

_SMALL = split_phrases(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    " ",
)
_TENS = split_phrases("_ _ twenty thirty forty fifty sixty seventy eighty ninety", " ")


def spell_number(number: int) -> str:
    """Return `number` (0 to 99,999) in English words, British style, without commas."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return _TENS[tens] + (f"-{_SMALL[rest]}" if rest else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" and {spell_number(rest)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    joint = " and " if rest < 100 else " "
    return f"{spell_number(thousands)} thousand" + (f"{joint}{spell_number(rest)}" if rest else "")


def draw_order(rng: random.Random) -> str:
    """Return an order number in the house notation, `QM-` and five digits that do not start with 0."""
    return f"QM-{rng.randrange(10000, 100000)}"


def draw_day(rng: random.Random) -> str:
    """Return a day of the year as the desk writes it in letters, `14 March`; the 29th to 31st never occur."""
    return f"{rng.randrange(1, 29)} {rng.choice(MONTHS)}"


def capitalize_first(text: str) -> str:
    """Return `text` with its first letter upper case and everything else as it was (unlike `str.capitalize`)."""
    return text[:1].upper() + text[1:]
