"""Where PyTorch keeps what it compiles: in one folder for all workers of a process, which goes with that process."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
from pathlib import Path
from bench.engine.start import variables
from bench.core.task import MEASURE, Subject, Task

tasks = [Task(MEASURE, Subject("adapter.py", name, name, "cpu", "float64", threads=1, seed=0)) for name in ("a", "b")]
(folder,) = {variables(task, None)["TORCHINDUCTOR_CACHE_DIR"] for task in tasks}
print(folder, Path(folder).is_dir())
"""


def folder_of(environ):
    done = subprocess.run([sys.executable, "-c", CODE], env=environ, capture_output=True, text=True, check=True)
    folder, there = done.stdout.split()
    return Path(folder), there == "True"


def test_the_workers_of_a_campaign_share_what_was_compiled_and_nothing_stays():
    environ = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    folder, was_there = folder_of(environ)
    assert was_there
    assert not folder.exists()


def test_a_folder_of_the_users_choice_is_used_and_kept(tmp_path):
    assert folder_of({**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}) == (tmp_path, True)
    assert tmp_path.exists()
