"""Constructions: how a network computes the machine's step."""
