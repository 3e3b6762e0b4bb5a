"""What a plain speed script does: 20 warm-up calls, 100 timed ones, their median, one process. Prints milliseconds."""

import statistics
import time

import ase.io
import numpy as np
from sevenn.calculator import SevenNetCalculator


def main(path: str) -> None:
    """Time SevenNet-0 on the first structure of a file."""
    atoms = ase.io.read(path, index=0)
    atoms.calc = SevenNetCalculator("7net-0", device="cpu")
    start = atoms.positions.copy()
    rng = np.random.default_rng(0)
    times = []
    for _ in range(120):
        atoms.positions = start + rng.normal(0.0, 0.01, start.shape)
        begin = time.perf_counter()
        atoms.get_forces()
        times.append(time.perf_counter() - begin)
    print(1e3 * statistics.median(times[20:]))


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
