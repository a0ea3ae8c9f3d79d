"""What the machine is: its shape, its state and its step. Nothing here knows a construction."""
