"""SUBLEQ assembly: its grammar, the assembler, and back from words to source."""
