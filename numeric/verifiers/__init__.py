"""Networks and properties in the formats of neural-network verifiers: out and in."""
