"""LaTeX: its special characters, and a table ruled by `booktabs`."""

from __future__ import annotations

from collections.abc import Sequence

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after \\ LaTeX would read a bracket as an optional argument
    "]": "{]}",
    "–": "--",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "Å": r"\AA{}",
    "µ": r"$\mu$",
    "ʳ": r"\textsuperscript{r}",
    "⁻": r"\textsuperscript{--}",
    "¹": r"\textsuperscript{1}",
    "\n": " ",
}


def escape(text: str) -> str:
    """Return `text` escaped, so that LaTeX prints it as it is."""
    return "".join(_LATEX.get(character, character) for character in text)


def tabular(headings: Sequence[tuple[str, str]], lines: Sequence[Sequence[str]], sides: str = "") -> str:
    """Return a ``tabular`` environment.

    Parameters
    ----------
    headings : sequence of (title, unit)
        Plain text.
    lines : sequence of sequence of str
        Cells, already in LaTeX.
    sides : str
        A letter for each column; by default the first is left and the others right.
    """
    return "\n".join(
        [
            r"\begin{tabular}{" + (sides or "l" + "r" * (len(headings) - 1)) + "}",
            r"\toprule",
            " & ".join(escape(title) for title, _ in headings) + r" \\",
            " & ".join(escape(unit) for _, unit in headings) + r" \\",
            r"\midrule",
            *(" & ".join(line) + r" \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )
