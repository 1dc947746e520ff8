"""Export: a run's tuned model in the form that other tools read, and the proof that it still answers as the run did.

source (what is exported) - adapter - merge (one tensor at a time) - shards (safetensors) - gguf/ - peft merged ollama
vllm (a folder each) - card (the model card) - parity/ (the proof)
"""
