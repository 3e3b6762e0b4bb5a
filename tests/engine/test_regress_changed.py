"""`regress --methods changed` in a git repository of its own: what differs from a commit is compared, nothing else."""

import json
import shutil
import subprocess

import pytest

from bench.paths import PROJECT

FAKES = PROJECT / "tests" / "fakes" / "fakes.py"
SLOW = """\
            import time
            time.sleep(0.1)  # so much more than the toy takes that it is seen on a busy machine, too
"""
CALL = "            energy, forces = adapter.misbehave("
TOY = "# [tool.pesbench.methods.toy]\n"
ELSEWHERE = """\
# /// script
# dependencies = ["ase==3.29.0", "numpy==2.4.6"]
# [tool.pesbench]
# family = "elsewhere"
# kind = "dft"
# programs = ["no-program-of-this-name"]
# programs-hint = "apt-get install it"
# [tool.pesbench.methods.elsewhere]
# label = "Runs elsewhere"
# ///
from bench.adapter import Adapter


class Elsewhere(Adapter):
    def load(self, method, device, dtype, threads, checkpoint):
        raise NotImplementedError
"""


def git(folder, *words):
    known = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *known, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """Return a copy of the checkout with two adapters, as a repository with one commit."""
    folder = tmp_path / "copy"
    for name in ("bench", "datasets", "results/paper", "results/baselines"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, folder)
    (folder / ".envs").symlink_to(PROJECT / ".envs")
    (folder / "adapters").mkdir()
    (folder / "adapters" / "fakes.py").write_text(FAKES.read_text())
    (folder / "adapters" / "elsewhere.py").write_text(ELSEWHERE)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "adapters")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def changed(pesbench, folder, *more):
    return pesbench(
        *("regress", "--methods", "changed", "--structures", "naphthalene-gfn2", "--limit", "2", "--budget", "4"),
        *("--format", "json", *more),
        cwd=folder,
    )


def test_an_adapter_that_a_branch_made_slower_is_found_and_what_cannot_run_here_is_left_out(pesbench, repository):
    fakes, elsewhere = repository / "adapters" / "fakes.py", repository / "adapters" / "elsewhere.py"
    # a file's first method may be new: then another one of it is compared
    slower = FAKES.read_text().replace(CALL, SLOW + CALL)
    fakes.write_text(slower.replace(TOY, f"# [tool.pesbench.methods.novel]\n{TOY}"))
    elsewhere.write_text(ELSEWHERE + "# changed\n")
    (repository / "adapters" / "new.py").write_text(ELSEWHERE.replace("elsewhere", "new"))
    git(repository, "add", "adapters")
    git(repository, "commit", "-q", "-m", "second")
    done = changed(pesbench, repository, "--base", "HEAD~1")
    assert done.returncode == 1, done.stderr
    (one,) = json.loads(done.stdout)["comparisons"]
    assert (one["method"], one["verdict"]) == ("toy", "slower")
    assert "fakes.py has new methods, which have nothing to compare with at HEAD~1: novel\n" in done.stderr
    assert "elsewhere is left out: elsewhere@base cannot run here: no-program-of-this-name is not on" in done.stderr
    (run,) = (repository / "results").glob("2*")
    assert json.loads((run / "campaign.json").read_text())["settings"]["methods"] == ["toy@base", "toy"]


def test_a_file_of_new_methods_only_is_named_and_nothing_is_measured(pesbench, repository):
    elsewhere = repository / "adapters" / "elsewhere.py"
    elsewhere.write_text(ELSEWHERE.replace("methods.elsewhere", "methods.renamed"))
    done = changed(pesbench, repository, "--base", "main")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "elsewhere.py has new methods, which have nothing to compare with at main: renamed",
        "nothing to compare: what changed is new since main",
    ]


def test_where_nothing_changed_that_can_run_here_nothing_is_measured(pesbench, repository):
    done = changed(pesbench, repository, "--base", "main")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing to compare: the adapters are those of main\n"
    (repository / "adapters" / "elsewhere.py").write_text(ELSEWHERE + "# changed, and not committed\n")
    done = changed(pesbench, repository, "--base", "main")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("nothing to compare: what changed cannot run on this machine\n")
    assert not list((repository / "results").glob("2*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--base", "nowhere"), "there is no commit 'nowhere' (fatal: bad revision 'nowhere'); name a commit"),
        (("--base-with", "ase==3.28.0"), "--methods changed needs the commit to compare with: --base REV."),
    ],
)
def test_without_a_commit_there_is_one_sentence(pesbench, repository, words, says):
    done = changed(pesbench, repository, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
