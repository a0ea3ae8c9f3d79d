"""Why the network is right: obligations, their proofs and what became of them."""
