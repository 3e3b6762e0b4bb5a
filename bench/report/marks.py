"""The colour and the mark of the i-th method in figures where each method is a line."""

# by Okabe and Ito: distinct for the colour-blind
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933", "#882255")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "h", "<", ">")


def color(i: int) -> str:
    """Return a colour; the tenth method has that of the first, and another mark."""
    return COLORS[i % len(COLORS)]


def marker(i: int) -> str:
    """Return a mark."""
    return MARKERS[i % len(MARKERS)]
