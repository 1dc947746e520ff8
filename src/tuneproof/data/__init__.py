"""The data stage: any instruction file in, sound rows and an honest split out.

    files --read--> rows, findings --check--> report, usable rows --near--> clusters --split--> train, select, test

`read` turns files into conversations: `sources` and `hub` find them, `decode` and `detect` know their bytes; `layout`,
`elements` (over a `window`), `table`, `parquet` and `excel` find the records in them, `parse` and `cells` the values,
`columns` and `convert` what these mean; `weigh` says how often a file's rows are seen. `check` runs the data doctor,
whose findings live in one file a theme; `near` clusters near-duplicates; `split` gives each a side.
"""
