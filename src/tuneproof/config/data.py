"""Config section `data`: which rows, and how to read them."""

from __future__ import annotations

from tuneproof.config.knob import Section, knob


class DataSection(Section):
    """The user's rows."""

    files: list[str] = knob([], "Data files or folders.", "Given on the command line.")
    test: str | None = knob(None, "The user's own test rows.", "Without it a part of the data is held out.")
    columns: dict[str, str] | None = knob(
        None, "Our column -> yours, for columns that are not recognised.", "Common names are recognised."
    )
    task: str | None = knob(
        None, "Column that names a row's task.", "A column called `task`; without one the file is the task."
    )
    system_prompt: str | None = knob(
        None, "System prompt put before every row that has none.", "The template's own default."
    )
    encoding: str | None = knob(None, "Encoding of the files.", "UTF-8; another one is proposed, never guessed.")
    max_tokens: int | None = knob(
        None, "Longest row in tokens; a longer one is left out and named.", "The longest row, up to 2048.", ge=16
    )
