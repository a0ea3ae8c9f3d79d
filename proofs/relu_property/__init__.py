"""Properties of small ReLU networks with rational weights, decided exactly."""
