"""What the network is: the machine, the statement language, the gadgets, the construction."""
