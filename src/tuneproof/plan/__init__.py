"""The plan: what fits into memory and time, and why.

tracker (live bytes of whatever runs) - kernels (attention as the device would run it) - subject (the model without its
weights) - trace (the product's own step, without the device) - formula (the closed form) - allocator (CUDA's cache) -
forecast (what a setting would take) - recipe (rank, rate, epochs) - choose (the settings) - budget (the time).
"""
