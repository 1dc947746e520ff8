"""GGUF files, written with the `gguf` package: the merged model, and the adapter alone.

families (which models, and their settings) - words (the tokenizer) - splitting (how text is cut before merging) -
rounding (4 and 5 bits, for the run's rows) - write (the files)
"""
