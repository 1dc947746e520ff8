"""The proof: an export is read back in a fresh process and must answer as the run did.

ask (what is asked, what is heard, and the process) - child (that process) - run, huggingface, llamacpp, ggufs (one who
reads each: the run itself, transformers and PEFT, llama.cpp, the file alone) - judge (heard against heard)
"""
