"""What each column of the table of times means: the words that ``pesbench explain`` and the page show."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.render import headers
from bench.render.shown import SHOWN

_WORDS: dict[str, str] = {
    "ms/step": "The time of one accepted optimiser iteration: calculator (model, neighbour list, conversion) plus "
    "optimiser, without pesbench's own share. The geometric mean over structures; its 95 % interval includes the "
    "differences between structures and between fresh processes. With random weights, the steps go along a fixed path.",
    "ms/call": "The time of one force call: energy and forces at a geometry a small step from the last one, so that "
    "the method goes on from what it keeps, such as an SCF's density. The geometric mean over structures, with its "
    "95 % interval; the first call at a structure does not count.",
    "ms/molecule": "The time of a relaxation to the end: all force calls and the optimiser's steps. The geometric "
    "mean over structures, with its 95 % interval. A relaxation that the budget cut off counts as one that takes "
    "longer, and one that fails, or makes or breaks bonds, counts among the failures. '> 350000': the budget cut off "
    "all of them, or of one system, or all but one or two; a lower bound: the geometric mean of the time that each "
    "structure took before that.",
    "minima": "How many structures ended at another, higher minimum than the method's best one of their system, and "
    "how much higher, median, in meV.",
    "volume": "By how much the cells grew in relaxations with --relax-cell: the mean over the systems of the set, "
    "without those that did not converge. Of a slab it is the area, of a wire the length.",
    "rank": "The place by time among the methods on the same device. 4–6: the intervals, all taken together, cannot "
    "tell which of the places 4 to 6 it has.",
    "times slower": "How many times slower than the method in the heading: the fastest MLIP, or that of --relative-to. "
    "Paired by structure and round, so that what all methods share cancels; with its 95 % interval.",
    "replay": "The time of a step along a fixed path, with the same geometries for every method: a force call and the "
    "optimiser's update, whose displacement is discarded. With ms/call or the mark ʳ it is that of the call alone.",
    "answer": "Whether energies, forces and relaxed bonds are those of the method's baseline: same, CHANGED, or a dash "
    "where there is no baseline. 'varies': the method gives different answers for the same structure. 'alters "
    "atoms': it changes the atoms that it is given. The times of such a method are doubtful.",
    "CPU/GPU": "How many times faster the same method is on the GPU, paired by structure and round.",
    "n/N": "How many structures were relaxed to the end (or replayed) within the time budget. A relaxation that was "
    "cut off still counts in the time.",
    "systems": "At how many systems of the data set the method has a time; it cannot take the others, had no time for "
    "them, or found them at a minimum from the start, where there is no step. Its time is the mean over its own "
    "systems, times slower that over the systems of both methods.",
    "paper": "The published time, from other hardware: compare the order of the methods, not the ratios.",
    "ours/paper": "The time here over the published one.",
    "rounds": "How much the rounds, each a fresh process, differ: the slowest over the fastest, less one.",
    "calls": "Force calls per optimiser step: 1 for BFGS, about 2 for conjugate gradients.",
    "steps": "Optimiser steps per structure, on average.",
    "conv.": "How many structures converged; the others stopped at the largest number of steps.",
    "weights": "pretrained, or random: the right architecture and speed, but meaningless energies.",
    "dtype": "The precision of the calculation.",
    "calc.": "The share of the time that is spent in the calculator; the rest is the optimiser's.",
    "cold": "Process start, imports, loading and the first force call, together. Never in the time of a step.",
    "memory": "The largest resident memory of the worker, or of a program that it runs if that needs more.",
    "mem.": "The largest memory allocated on the device.",
    "param.": "The number of trained parameters, as counted on the loaded model.",
    "RMSD": "How far the relaxed geometries lie from the method's own median geometry, in Angstrom.",
    "fmax": "The largest force left in a relaxed geometry.",
    "joules": "The energy by the counter of the processor or the GPU, per step (or call) or per relaxed molecule.",
    "net joules": "The same, less what the idle machine takes in that time.",
}

WORDS: Mapping[str, str] = _WORDS | {title: words for view in SHOWN.values() for title, words in view.words.items()}
"""By the title of a column, without its device; ``n/N`` stands for ``n/101``."""


def meaning(title: str, unit: str = "") -> str:
    """Return what a column means; empty for the name of a method, which needs no words.

    Parameters
    ----------
    title, unit : str
        As in its heading: ``CPU``, ``ms/step``.
    """
    if unit in ("ms/step", "ms/call") and not title.endswith("replay"):
        return WORDS[unit]
    title = re.sub(r"^times slower, .*$", "times slower", re.sub(r"^n/\d+$", "n/N", title))
    return WORDS.get(title) or next((WORDS[end] for end in ("replay", "mem.") if title.endswith(end)), "")


def explained(name: str) -> tuple[str, str] | None:
    """Return the title and the meaning of what the user calls `name`, anywhere in what is printed; None if unknown.

    A header is found with its unit and without, with the name of a device before or after it, and by its first words.
    """
    text = re.sub(r"\s+", " ", name.strip())
    bare = re.sub(r"^(CPU|GPU)[ /]+|,? (CPU|GPU)( ms)?$", "", text)
    for one in dict.fromkeys((text, bare)):
        if (title := named(one)) is not None:
            return title, WORDS[title]
        known = {title.casefold(): title for title in headers.WORDS}
        if (found := known.get(one.casefold()) or known.get(one.casefold().removesuffix("s"))) is not None:
            return found, headers.WORDS[found]
    every = {**headers.WORDS, **WORDS}
    begins = [title for title in every if bare.casefold().startswith(f"{title.casefold()} ")]
    whole = [title for title in every if len(bare) > 3 and title.casefold().startswith(f"{bare.casefold()} ")]
    chosen = max(begins, key=len) if begins else whole[0] if whole else None
    return None if chosen is None else (chosen, every[chosen])


def named(name: str) -> str | None:
    """Return the title of the column that a user means by `name`; None where there is none."""
    wanted = re.sub(r"^n/\d+$", "n/n", name.strip().casefold())
    known = {title.casefold(): title for title in WORDS} | {"md": "MD", "n": "n/N", "cold start": "cold"}
    return known.get(wanted) or known.get(f"{wanted}.")
