"""Evidence: task - scorers - probes - measure - control - degeneration - select - verdict."""
