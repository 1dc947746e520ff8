"""Tables that scripts write into the documentation, between two marks.

fill_page(text, "cost", table)        # what stands between <!-- cost --> and <!-- /cost -->
"""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": "{name}.md", "zh": "{name}.zh-CN.md"}


def fill_page(page: str, mark: str, table: str) -> str:
    """The page with the table between its marks. Raises ValueError where it has none."""
    first, last = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, found, rest = page.partition(first)
    _, ended, after = rest.partition(last)
    if not (found and ended):
        raise ValueError(f"no {first} ... {last}")
    return f"{before}{first}\n{table.strip()}\n{last}{after}"


def list_pages(name: str) -> dict[str, Path]:
    """Language -> the page of this name."""
    return {language: DOCS / pattern.format(name=name) for language, pattern in PAGES.items()}
