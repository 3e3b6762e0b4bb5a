"""The CPU quota of a container, on trees of control groups as Docker, Kubernetes and systemd make them."""

import pytest

from bench.machine import cores, quota, watch

V2 = "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
V1 = "32 31 0:29 {top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"


def tree(root, cgroup, mountinfo, files):
    for name, text in {"proc/self/cgroup": cgroup, "proc/self/mountinfo": mountinfo, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "files", "expected", "held"),
    [
        ("0::/\n", V2, {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5, None),
        ("0::/\n", V2, {"sys/fs/cgroup/cpu.max": "max 100000\n"}, None, None),
        ("0::/\n", V2, {}, None, None),
        (  # nested: the smallest up the tree
            "0::/pod/box\n",
            V2,
            {
                "sys/fs/cgroup/pod/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/pod/cpu.stat": "usage_usec 9\nthrottled_usec 2500000\n",
                "sys/fs/cgroup/pod/box/cpu.max": "400000 100000\n",
                "sys/fs/cgroup/pod/box/cpu.stat": "throttled_usec 0\n",
            },
            2.0,
            2.5,
        ),
        (
            "5:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n",
            V1.format(top="/docker/abc"),  # mounted at the container's own group
            {
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n",
            },
            0.5,
            1.5,
        ),
        (
            "5:cpu,cpuacct:/a/b\n0::/\n",
            V1.format(top="/") + V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
            {
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
            },
            3.0,
            None,
        ),
    ],
)
def test_the_smallest_quota_up_the_tree_counts(tmp_path, cgroup, mountinfo, files, expected, held):
    root = tree(tmp_path, cgroup, mountinfo, files)
    assert quota.cores(root) == expected
    assert quota.throttled_s(root) == held


@pytest.mark.parametrize(("allowed", "usable"), [(0.5, 1), (1.9, 1), (1e6, None), (None, None)])
def test_usable_cores_are_the_smaller_of_affinity_and_quota(monkeypatch, allowed, usable):
    monkeypatch.setattr(quota, "cores", lambda: None)
    without = cores.usable_cores()
    monkeypatch.setattr(quota, "cores", lambda: allowed)
    assert cores.usable_cores() == (usable or without)


def test_a_quota_that_held_a_worker_back_is_what_is_blamed():
    facts = {
        "seconds": 10.0,
        "cpus": 2,
        "foreign_cores": 0.0,
        "stolen_cores": 0.0,
        "clock_mhz": None,
        "throttled": None,
        "swapped_bytes": 0,
        "free_memory_share": 0.5,
        "loop_speed": (50.0, 100.0),
        "foreign_gpu_processes": None,
    }
    (alone,) = watch.disturbances(facts, 100.0)
    assert "plain loop" in alone
    (found,) = watch.disturbances({**facts, "quota_s": 3.0}, 100.0)
    assert found == "throttled by the container's quota for 3.0 s"
