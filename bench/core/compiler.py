"""Whether this machine can compile what PyTorch writes. Standard library only: an adapter asks in its environment."""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
from pathlib import Path


def without_compiler(device: str) -> str:
    """Return why torch.compile cannot work on this machine, in words; empty where it can.

    For a CPU PyTorch writes C++, and for a GPU its Triton needs a C compiler; both include Python.h. The variables CXX
    and CC name other compilers than the usual ones.
    """
    language, variable, usual = ("C++", "CXX", ("g++",)) if device == "cpu" else ("C", "CC", ("gcc", "clang"))
    named = shlex.split(os.environ.get(variable, ""))[:1]
    if not any(shutil.which(name) for name in named or usual):
        return f"this machine has no {language} compiler ({' or '.join(named or usual)})"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "this machine has no Python.h, which the compiler needs"
    return ""
