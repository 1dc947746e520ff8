"""Training: dataset - trainer (the Trainer subclass) - checkpoint (whole or absent) - guards - replay - train."""
