"""A foreign process that computes for a while in the middle of a comparison: does the ratio stay, and who tells?"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading

from comparing import compare, tell

BUSY = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"
# detached, so that it is nobody's child of ours
LAUNCH = (
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}, sys.argv[1]], start_new_session=True)"
)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.10, help="the slow-down that is to be seen all the same")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--after", type=float, default=15.0, help="seconds")
    parser.add_argument("--for", dest="lasts", type=float, default=20.0, help="seconds")
    options = parser.parse_args()
    for number in range(options.count):
        timer = threading.Timer(
            options.after, subprocess.run, [[sys.executable, "-c", LAUNCH, str(options.lasts)]], {"check": True}
        )
        timer.start()
        try:
            tell(compare(options.share, options.budget, 0.05, seed=number))
        finally:
            timer.cancel()


if __name__ == "__main__":
    main()
