"""The style: text stands out from its ground as WCAG AA asks, by day and by night."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest


def read_colours(style: str, block: int) -> dict[str, tuple[int, int, int]]:
    colours = re.findall(r"--([\w-]+): #(\w\w)(\w\w)(\w\w);", style.split(":root {")[block])
    return {name: (int(red, 16), int(green, 16), int(blue, 16)) for name, red, green, blue in colours}


def measure_luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("block", [1, 2], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(block: int) -> None:
    sheet = files("tuneproof.report") / "templates" / "style.css"
    colours = read_colours(sheet.read_text(encoding="utf-8"), block)
    pairs = [(name, ground) for name in ("ink", "quiet", "better", "worse", "unsure") for ground in ("paper", "panel")]
    pairs += [("ink", "better-tint"), ("ink", "worse-tint")]
    pairs += [("on-shade", f"shade-{number}") for number in range(3)]
    for text, ground in pairs:
        dark, light = sorted((measure_luminance(colours[text]), measure_luminance(colours[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
