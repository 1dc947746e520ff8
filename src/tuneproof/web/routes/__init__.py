"""The pages and what their scripts ask for, a file a page.

routes/
|- runs.py     the table of runs, and runs side by side
|- new.py      a data file, its findings, a plan, the start
|- live.py     a run at work: its state, stop, resume
|- report.py   a run that has ended: the report, blame, marks, downloads
|- play.py     the playground
`- entry.py    the login page, static files, health
"""
