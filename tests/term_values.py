"""The value of a term, computed with Python's numbers: what proofs.terms means."""

OPERATIONS = {
    "+": lambda *numbers: sum(numbers),
    "-": lambda first, *others: first - sum(others) if others else -first,
    "*": lambda left, right: left * right,
    "div": lambda left, right: left // right,
    "mod": lambda left, right: left % right,
    "<=": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
    "=": lambda left, right: left == right,
    "distinct": lambda left, right: left != right,
    "not": lambda truth: not truth,
    "and": lambda *truths: all(truths),
    "or": lambda *truths: any(truths),
    "=>": lambda left, right: not left or right,
    "ite": lambda condition, then, otherwise: then if condition else otherwise,
}


def evaluated(node, meaning):
    """The number or truth of a term; `meaning` gives constants and functions by name.

    Divisors are positive, where Python and SMT-LIB agree.
    """
    if node.op == "constant":
        return node.label
    if node.op == "ite":
        # Only the branch that is taken: the other may lie outside what `meaning` knows.
        return evaluated(node.args[1 if evaluated(node.args[0], meaning) else 2], meaning)
    values = [evaluated(arg, meaning) for arg in node.args]
    if node.op == "application":
        known = meaning[node.label]
        return known(*values) if values else known
    if node.op in ("div", "mod"):
        assert values[1] > 0
    return OPERATIONS[node.op](*values)
