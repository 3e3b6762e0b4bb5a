# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0", "numpy==2.4.6", "scipy==1.17.1"]
#
# [tool.uv]
# exclude-newer = "2026-11-15T00:00:00Z"
#
# [tool.pesbench]
# family = "fakes"
# kind = "force-field"
# download-mb = 60
#
# [tool.pesbench.methods.traced]
# label = "each call along a path takes a planted time"
# ///
"""A method whose force calls all take one planted time, and the tracer that finds the files through which it goes."""

import math
import sys
from pathlib import Path

from bench.adapter import Adapter

PLANTED_NS = 7_654_321
"""An unlikely time: wherever it turns up, it came from the clock."""
SEEN, FORM = "the planted time went through ", " and took another form"
"""Before and after the name of a file, in the log of a worker."""
_BENCH = str(Path(sys.modules["bench"].__file__).parent) + "/"
# as it is, in milliseconds or seconds, their logarithms, and the sum over the calls of a path
_UNITS = [PLANTED_NS * unit for unit in (1, 1e-6, 1e-9)]
_VALUES = [*_UNITS, *map(math.log, _UNITS), *(PLANTED_NS * calls for calls in range(2, 12))]
_TEXTS = (str(PLANTED_NS), "7.654")


class Tracer:
    """Collects the files of bench with a function that returned something with the time inside, in their order.

    Attributes: `files`, all of them; `made`, those where the time took another form. Elsewhere it was handed on: the
    number, the text or the data frame that came out had come in. It ends when a function called `last` returns.
    """

    def __init__(self, told=lambda line: None, last=""):
        self.told = told
        self.last = last
        self.files = {}
        self.made = {}

    def start(self):
        sys.setprofile(self._look)

    def stop(self):
        sys.setprofile(None)

    def _look(self, frame, event, found):
        code = frame.f_code
        if event != "return" or not code.co_filename.startswith(_BENCH) or code.co_name.startswith("<"):
            return
        name = code.co_filename.removeprefix(_BENCH)
        if code.co_name in self.made.get(name, ()):
            return
        sys.setprofile(None)  # looking calls functions of bench, too
        out = set()
        try:
            if out := set(_carriers(found)):
                self._note(self.files, name, code.co_name, "")
                count = code.co_argcount + code.co_kwonlyargcount
                into = [frame.f_locals.get(one) for one in code.co_varnames[:count]]
                if not out <= set(_carriers(into)):
                    self._note(self.made, name, code.co_name, FORM)
        finally:
            if not (out and code.co_name == self.last):
                sys.setprofile(self._look)

    def _note(self, where, file, function, how):
        if file not in where:
            self.told(f"{SEEN}{file}{how}")
        where.setdefault(file, set()).add(function)


def _carriers(found, depth=8):
    """Yield the identities of the numbers, texts and data frames in an object that hold the time."""
    if found is None or isinstance(found, bool | type) or not depth:
        return
    if isinstance(found, int | float | str | bytes) or hasattr(found, "tolist") or hasattr(found, "to_numpy"):
        if _has(found):
            yield id(found)
        return
    if isinstance(found, dict):
        inner = found.values()
    elif isinstance(found, list | tuple):
        inner = found
    elif type(found).__module__.startswith("bench."):
        inner = vars(found).values() if hasattr(found, "__dict__") else ()
    else:
        return
    for one in inner:
        yield from _carriers(one, depth - 1)


def _has(found):
    """Return whether a number is the time, or a text or an array has it."""
    if isinstance(found, int | float):
        return any(abs(found - one) <= 1e-9 * abs(one) for one in _VALUES)
    if isinstance(found, bytes):
        found = found.decode(errors="replace")
    if isinstance(found, str):
        return any(one in found for one in _TEXTS)
    found = found.to_numpy() if hasattr(found, "to_numpy") else found
    entries = found.ravel().tolist() if hasattr(found, "ravel") else [found.tolist()]
    return any(_has(one) for one in entries if isinstance(one, int | float))


class Traced(Adapter):
    """Springs to the first geometry."""

    def load(self, method, device, dtype, threads, checkpoint):
        from ase.calculators.calculator import Calculator, all_changes

        from bench.measure import clock

        class Springs(Calculator):
            implemented_properties = ("energy", "forces")
            centre = None

            def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                self.centre = atoms.positions.copy() if self.centre is None else self.centre
                moved = atoms.positions - self.centre
                self.results = {"energy": float((moved**2).sum()), "forces": -2 * moved}

        now = 0

        def reading():
            """Advance by the planted time along a path, and by another one in the warm-up."""
            nonlocal now
            asks = sys._getframe(1).f_locals["self"]
            now += PLANTED_NS if type(asks).__module__ == "bench.protocols.replay.measure" else 1_000_000
            return now

        clock.perf_counter_ns = reading
        Tracer(lambda line: print(line, file=sys.stderr, flush=True)).start()
        return Springs()

    def settings(self):
        return {}
