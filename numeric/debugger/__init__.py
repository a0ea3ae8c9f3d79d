"""A debugger of programs that the network runs, and a trace of their steps."""
