"""One method under two names in one campaign: how often does the interval of their ratio contain 1?

.venv/bin/python tests/studies/two_names.py --count 40
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench import paths

NAMES = ("gfn2-one", "gfn2-two")


def adapter(folder: Path) -> Path:
    """Write an adapter with GFN2-xTB under two names."""
    text = (paths.adapters_dir() / "xtb.py").read_text()
    for old, new in (
        ('family = "xTB"', 'family = "twins"'),
        ("gfn2-xtb", NAMES[0]),
        ("gfn1-xtb", NAMES[1]),
        (f'"{NAMES[1]}": "GFN1-xTB"', f'"{NAMES[1]}": "GFN2-xTB"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "twins.py"
    path.write_text(text)
    return path


def ratio(adapter: Path, seed: int, options: list[str], folder: Path) -> dict[str, float]:
    """Return the ratio of the two in one campaign, with its interval."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench.cli", "run", "--adapter", adapter, "--methods", ",".join(NAMES)),
            *("--structures", "naphthalene-gfn2", "--seed", str(seed), "--relative-to", NAMES[0]),
            *("--output", folder, "--json", *options),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = {row["method"]: row for row in json.loads(done.stdout)["rows"]}
    return {name: rows[NAMES[1]]["relative"][name] for name in ("estimate", "low", "high")}


def main() -> None:
    """Run the campaigns, and print each ratio and how often 1 was in its interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("options", nargs="*", help="of 'pesbench run', after --")
    options = parser.parse_args()
    chosen = options.options or ["--rounds", "5", "--budget", "10", "--limit", "20", "--threads", "1"]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = adapter(Path(folder))
        for seed in range(options.count):
            found.append(ratio(path, seed, chosen, Path(folder) / f"run-{seed}"))
            print(json.dumps(found[-1]), flush=True)
    inside = sum(one["low"] <= 1 <= one["high"] for one in found)
    width = float(np.median([one["high"] / one["low"] - 1 for one in found]))
    spread = float(np.std([np.log(one["estimate"]) for one in found], ddof=1))
    print(f"1 is in {inside} of {len(found)} intervals; median width {width:.3f}, sd of the log ratio {spread:.3f}")


if __name__ == "__main__":
    main()
