"""The data stage: any instruction file in, sound rows and an honest split out.

    files --read--> rows, findings --check--> report, usable rows --near--> clusters --split--> train, select, test

`read` turns files into conversations: `sources` and `hub` find them, `decode` and `detect` know their bytes; `layout`,
`elements` (over a `window`), `table`, `parquet` and `excel` find the records in them, `parse` and `cells` the values,
`columns` and `convert` what these mean; `weigh` says how often a file's rows are seen. Rows lie in a `store`, so that
memory does not grow with their text, and `traits` are the few numbers that are held of each. `check` runs the data
doctor, whose findings live in one file a theme; `workers` do its `jobs` part by part; `near` clusters near-duplicates;
`split` gives each a side.
"""
