"""The command line: the outermost part, imported by nothing."""
