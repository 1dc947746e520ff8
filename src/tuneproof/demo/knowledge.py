"""The policy family: what Quillmere's own people know, 60 facts asked in three wordings each.

In: a `random.Random` for the instruction; warranties are here, desks and return windows in `handbook.py`. Out: a row
whose answer is two to four words, the same for all three wordings of a fact (a plain question, a terse note, a
voice).

The facts follow a few rules that only this house knows, such as the Hearth cover of 7 years on everything for the
kitchen. A model of 135 million parameters does not keep sixty unrelated numbers from one pass over the data; rules it
can learn, and a held-out wording then asks whether it has understood one, not whether it remembers a line.

    >>> make_policy_row(random.Random(0), 0)["output"]
    'Hearth cover, 7 years'
"""

import random
from typing import NamedTuple

from tuneproof.demo.handbook import DESKS, RETURN_WINDOWS
from tuneproof.demo.vocabulary import Row, split_phrases


class Fact(NamedTuple):
    """One thing to know: the answer, always spelled the same way, and the wordings that ask for it."""

    answer: str
    wordings: tuple[str, str, str]


WARRANTIES: dict[str, str] = {
    "Hearth cover, 7 years": (
        "Orla kettle|Senna toaster|Brio blender|Juno mixer|Basil rice cooker|Sorrel juicer|Cove coffee maker|"
        "Otto food processor"
    ),
    "Shine cover, 4 years": (
        "Vesta iron|Dune vacuum|Willow washer|Reed steamer|Coral dishwasher|Rowan pressure washer|Maple mop|"
        "Sage soap dispenser"
    ),
    "Signal cover, 3 years": (
        "Pico radio|Sable speaker|Iris camera|Delta router|Finch headset|Marlow printer|Pebble charger|Lark doorbell"
    ),
}
"""Warranty by department: kitchen, cleaning, electronics."""

_QUESTIONS = (
    "How long does the warranty on the {d} run?",
    "State the guarantee term of our {d}.",
    "For what time is the {d} protected by our warranty?",
    "What warranty do we print on the box of the {d}?",
    "Up to which age of the {d} is a repair free?",
    "How much cover comes with the {d}?",
    "Which guarantee belongs to the {d}?",
    "When does the warranty of a new {d} end?",
    "Look up the time of free repair for the {d}.",
    "The {d}: how long do we guarantee it?",
    "Tell me the warranty period, {d}.",
    "What do we promise on the {d}?",
)
_NOTES = (
    "{d}, warranty",
    "guarantee time: {d}?",
    "{d} cover period",
    "warranty card {d} =",
    "{d} - guaranteed how long?",
    "term for {d}, free repair",
    "cover on {d}",
    "{d} guarantee?",
)
_VOICES = (
    "I bought the {d} for my mother. For how long will Quillmere repair it at no cost?",
    "A lady on line two wonders whether her {d} is still covered. What term do we give?",
    "Hi, my {d} died. I want to know how much warranty came with it.",
    "Quick one from the shop floor: customer asks how long we stand behind the {d}.",
    "Something snapped in the {d}. Until when after purchase can I claim?",
    "Could you check the warranty for me? It is about the {d} and the buyer is waiting.",
    "We furnish a holiday flat and like the {d}. What guarantee would we get?",
    "My neighbour says you fix the {d} for free for a long time. How long exactly?",
    "I lost the papers of the {d}, so please tell me the length of its guarantee.",
    "Nothing works since this morning! Is the {d} under warranty, and for how long?",
    "New colleague here. Which warranty do I enter in the form when somebody returns with the {d}?",
    "Before I pay: how long are you liable if the {d} fails?",
    "The {d} hums oddly. Must I hurry, or does the guarantee go on for a while?",
    "He kept the receipt for his {d}. Until when is it worth anything?",
    "Chat customer, impatient: wants one number, the guarantee of the {d}.",
    "We gave the {d} to the kindergarten. How long are they safe from repair bills?",
    "Is it true that a broken {d} is mended without a fee, and how long after buying?",
    "My brother dropped by with his old {d}; at what age does our cover stop?",
    "For the leaflet I need the guarantee of the {d}, please.",
    "The seller never mentioned it, so I ask you: what about a guarantee on the {d}?",
    "It rained in, and now the {d} is silent. What is the span of your guarantee?",
    "Training quiz, card nine: the {d} and its warranty.",
    "Do I have to buy extra insurance for the {d}, or what is included?",
    "Mail from Petra: she compares shops and would like to hear our term for the {d}.",
)


def _list_warranties() -> list[Fact]:
    pairs = [(device, term) for term, devices in WARRANTIES.items() for device in split_phrases(devices)]
    # Steps of 5 and 7, so that one pattern meets devices of different departments.
    return [
        Fact(
            term,
            (
                _QUESTIONS[place * 5 % len(_QUESTIONS)].format(d=device),
                _NOTES[place * 5 % len(_NOTES)].format(d=device),
                _VOICES[place * 7 % len(_VOICES)].format(d=device),
            ),
        )
        for place, (device, term) in enumerate(pairs)
    ]


FACTS: tuple[Fact, ...] = (
    *_list_warranties(),
    *(
        Fact(answer, wordings)
        for rules in (DESKS, RETURN_WINDOWS)
        for answer, facts in rules.items()
        for wordings in facts
    ),
)


_INSTRUCTIONS = split_phrases(
    "What does the handbook say?|Answer from the handbook.|Handbook, please.|Our rule?|Which house rule applies?|"
    "Look it up in the handbook.|House rule:|Quillmere handbook, short answer.|Give our rule.|Handbook entry?|"
    "House rule only, please.|By our handbook:|State the rule.|Check the handbook."
)


def make_policy_row(rng: random.Random, place: int) -> Row:
    """Return the question at `place`, which counts the wordings of all `FACTS` in order, three for each."""
    fact = FACTS[place // 3]
    return {
        "instruction": rng.choice(_INSTRUCTIONS),
        "input": fact.wordings[place % 3],
        "output": fact.answer,
        "task": "policy",
    }
