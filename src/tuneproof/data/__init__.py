"""The data stage: any instruction file in, sound rows and an honest split out.

    files --read--> rows, findings --check--> report, usable rows --near--> clusters --split--> train, select, test

`read` (with `decode`, `layout`, `parse`, `table`, `columns`, `convert`) turns files into conversations; `check` runs
the data doctor, whose findings live in one file a theme; `near` clusters near-duplicates; `split` gives each a side.
"""
