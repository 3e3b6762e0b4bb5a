"""A real Slurm with two nodes on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
PATH = f"{os.environ['PATH']}:/usr/sbin"
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/d-%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/d-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
KillWait=1
ReturnToService=2
SlurmctldPort={ports[0]}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=p Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=EXCLUSIVE
"""


@dataclasses.dataclass
class Slurm:
    """A running Slurm."""

    folder: Path
    environ: dict[str, str]

    def __call__(self, *words):
        """Run one of Slurm's commands and return what it prints."""
        done = subprocess.run(words, env={**os.environ, **self.environ}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words):
        subprocess.run(words, env={**os.environ, **self.environ}, check=True, capture_output=True, timeout=60)

    def start_node(self, name):
        self.start("slurmd", "-N", name)

    def states(self):
        return dict(line.split() for line in self("sinfo", "-h", "-N", "-o", "%N %t").splitlines())

    def kill(self, pid_file):
        path = self.folder / pid_file
        if path.exists():
            os.kill(int(path.read_text()), signal.SIGKILL)
            path.unlink(missing_ok=True)

    def idle(self):
        """Wait until both nodes can take a job."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.states() == {"n1": "idle", "n2": "idle"}:
                return
            time.sleep(0.5)
        raise AssertionError(f"the nodes are {self.states()}")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def missing() -> str:
    """Return why no Slurm can be started here; empty where one can."""
    lacking = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    if not lacking and os.geteuid() == 0:
        return ""
    return f"needs root and Slurm (Debian: apt-get install slurm-wlm munge); missing: {', '.join(lacking)}"


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Slurm]:
    """Start a Slurm with its files in this folder, and end it."""
    (folder / "state").mkdir()
    for name in ("n1", "n2"):
        (folder / f"spool-{name}").mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    host = subprocess.run(["hostname", "-s"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "slurm.conf").write_text(CONF.format(host=host, folder=folder, ports=free_ports(3)))
    made = Slurm(folder, {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": PATH})
    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid"}
    files |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    made.start("munged", "--force", *(f"--{option}={folder / name}" for option, name in files.items()))
    try:
        made.start("slurmctld")
        made.start_node("n1")
        made.start_node("n2")
        made.idle()
        yield made
    finally:
        for pid_file in ("d-n1.pid", "d-n2.pid", "ctld.pid", "munge.pid"):
            made.kill(pid_file)
