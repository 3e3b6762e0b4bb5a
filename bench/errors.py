"""The one exception that ends a command: bad input."""


class BadInput(Exception):
    """What the user asked for cannot be done; the text is one sentence that says what was wrong and what to do.

    The command line prints it without a traceback and exits with status 2. What a *method* cannot do is
    never raised like this: it becomes a record (see :mod:`bench.contract.records`).
    """
