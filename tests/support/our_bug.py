"""A function with a bug, as if it were of one of our own modules."""


def our_bug(module):
    """A function of a module that divides by zero."""
    functions = {"__name__": module}
    exec("def buggy(*_): return 1 / 0", functions)
    return functions["buggy"]
