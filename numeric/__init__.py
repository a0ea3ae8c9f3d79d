"""How the network runs: float64 arrays, engines and the host loop."""
