"""What the reader of the web app reads. key -> (English, Chinese).

web/
|- entry.py     the command, the frame, the table of runs
|- work.py      a new run, a run at work
`- reading.py   the report's additions, the playground, the scripts' words
"""

from __future__ import annotations

from tuneproof.messages.web import entry, reading, work

MESSAGES: dict[str, tuple[str, str]] = {**entry.MESSAGES, **work.MESSAGES, **reading.MESSAGES}
