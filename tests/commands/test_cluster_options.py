"""The options of a cluster: what is refused, and a script that a shell can read. tests/cluster has the real Slurm."""

from __future__ import annotations

import subprocess

import pytest

UFF = ("run", "--methods", "uff", "--structures", "naphthalene-gfn2", "--threads", "1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--nodes", "2"), "--nodes belongs to --cluster"),
        (("--dry-run",), "--dry-run belongs to --cluster"),
        (("--cluster", "pbs"), "there is no cluster 'pbs'; use slurm."),
        (("--cluster", "slurm", "--protocols", "relax,md"), "md has none to share"),
        (("--cluster", "slurm", "--nodes", "0"), "--nodes must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(pesbench, tmp_path, words, said):
    done = pesbench(*UFF, *words, "--output", tmp_path / "runs")
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_script_can_be_read_by_a_shell_and_has_what_was_asked_for(pesbench, tmp_path):
    done = pesbench(
        *UFF,
        *("--cluster", "slurm", "--rounds", "5", "--nodes", "2", "--partition", "p", "--account", "a b", "--dry-run"),
        *("--cluster-option=--qos=debug", "--budget", "50", "--limit", "3", "--output", tmp_path / "it's here"),
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "job.sh").write_text(done.stdout)
    subprocess.run(["sh", "-n", str(tmp_path / "job.sh")], check=True)
    for line in ("#SBATCH --array=0-4%2", "#SBATCH --exclusive", "#SBATCH --partition=p", "#SBATCH --qos=debug"):
        assert line in done.stdout
    command = done.stdout.splitlines()[-1]
    assert "--budget 10" in command and "--limit 3" in command and "--rounds 1" in command
    assert "--cluster" not in command and "--nodes" not in command
    assert not (tmp_path / "it's here").exists()
