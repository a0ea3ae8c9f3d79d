"""Theorems about programs: symbolic execution of the machine's step, and what it proves."""
