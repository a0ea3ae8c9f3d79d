"""Pictures of a network, by Matplotlib (extra `plot`)."""
