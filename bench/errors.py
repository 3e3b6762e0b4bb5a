"""The one exception that ends a command: bad input."""


class BadInput(Exception):
    """The request cannot be carried out; the text is one sentence that says what is wrong and what to do.

    The command line prints it without a traceback and exits with status 2. It is never raised for something that
    a *method* cannot do: that becomes a record (see :mod:`bench.core.records`).
    """
