"""The language in which gadgets and networks are stated, and its exact views."""
