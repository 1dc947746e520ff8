"""Pictures of the records: what the terminal shows, drawn but not printed.

    frame     the parts that all are made of: facts, tables, bars
    mask      the loss-mask proof
    data      what `check` found, and the split
    plan      memory and time
    training  what training did
    answers   base and tuned, suite by suite
    verdict   the closing summary of a run
    trials    what runs inside the run have shown
    machine   what `doctor` sees
    knobs     a config with the source of each value

In: records. Out: something rich can print. Colour never carries a meaning alone; all text of models and users is clean.
"""
