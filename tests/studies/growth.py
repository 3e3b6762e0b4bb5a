"""A planted law, t = 1 ms + 2 us N^1.5, measured again and again: is it found, and is the largest size predicted?"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
RUN = (
    *("run", "--adapter", str(FAKES), "--methods", "grows", "--protocols", "scaling", "--max-atoms", "1152"),
    *("--structures", "naphthalene-gfn2", "--threads", "1", "--no-repeats", "--budget", "none"),
)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    count = parser.parse_args().count
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            subprocess.run(
                [sys.executable, "-m", "bench.cli", *RUN, "--output", folder], check=True, capture_output=True
            )
            shown = ("table", folder, "--protocols", "scaling", "--format", "json")
            done = subprocess.run(
                [sys.executable, "-m", "bench.cli", *shown], check=True, capture_output=True, text=True
            )
            rows += json.loads(done.stdout)["rows"]
            law, held = rows[-1]["law"], rows[-1]["held_out"]
            print(
                json.dumps(
                    {
                        "floor_ms": law["floor_ms"]["estimate"],
                        "exponent": law["exponent"]["estimate"],
                        "predicted_ms": held["predicted_ms"],
                        "measured_ms": held["measured_ms"],
                        "inside": held["inside"],
                    }
                ),
                flush=True,
            )
    laws = [row["law"] for row in rows]
    print(
        json.dumps(
            {
                "repeats": count,
                "inside": sum(row["held_out"]["inside"] for row in rows),
                "worst_exponent": max(abs(law["exponent"]["estimate"] - 1.5) for law in laws),
                "worst_floor_share": max(abs(law["floor_ms"]["estimate"] - 1.0) for law in laws),
            }
        )
    )


if __name__ == "__main__":
    main()
