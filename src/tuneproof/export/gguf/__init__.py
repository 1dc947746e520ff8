"""GGUF files, written with the `gguf` package: the merged model, and the adapter alone.

families (which models, and their settings) - words (the tokenizer) - splitting (how text is cut before merging) -
write (the files)
"""
