"""Explaining: gradient (of one row, as a sketch) - cache (sketches kept in the run folder) - blame (who changed it)."""
