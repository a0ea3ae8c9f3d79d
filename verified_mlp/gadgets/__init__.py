"""The gadgets: one file each, with matrices, domain, specification and source side by side."""
