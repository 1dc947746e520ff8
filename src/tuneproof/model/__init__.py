"""The only door to transformers: loading, templating, packing, the training step, answering.

hardware - load - chat (messages -> ids and loss mask) - packing - step (packed forward, chunked loss, optimizer) -
generate
"""
