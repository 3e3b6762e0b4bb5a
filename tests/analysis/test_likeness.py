"""Two runs: alike enough to be compared or not, and what else differs."""

import dataclasses

from synthetic import campaign

from bench.analysis import likeness


def test_alike_runs_are_alike_and_unlike_ones_are_named():
    assert likeness.unlike(campaign(), campaign()) == []
    plain = campaign()
    other = campaign(
        machine=dataclasses.replace(plain.machine, cpu="AMD EPYC", gpus=("NVIDIA H100",)),
        dataset=dataclasses.replace(plain.dataset, name="mine", digest="sha256:fedc"),
        settings={"threads": 2},
    )
    assert likeness.unlike(campaign(), other) == [
        "CPU: Intel Xeon Processor (SapphireRapids) and AMD EPYC",
        "GPUs: none and NVIDIA H100",
        "data set: naphthalene-md17 and mine",
        "threads: 1 and 2",
    ]


def test_what_is_not_known_of_a_run_has_a_word():
    new = campaign(commit=None, settings={"limit": 5})
    assert likeness.explain(campaign(), new, [{}, {}], [{}, {}]) == [
        "pesbench's commit: 8bc89d6f0a1b and unknown",
        "--limit: none and 5",
    ]


def test_what_differs_between_alike_runs_is_explained():
    found = likeness.explain(
        campaign(),
        campaign(commit="f" * 40),
        [{"a": {"torch": "2.13.0", "ase": "3.29.0"}}, {"a": {"torch": "2.14.0", "ase": "3.29.0"}}],
        [{"a": {"OMP_NUM_THREADS": "1"}}, {"a": {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}}],
    )
    assert found == [
        "pesbench's commit: 8bc89d6f0a1b and ffffffffffff",
        "a: torch 2.13.0 and 2.14.0",
        "a: OMP_WAIT_POLICY missing and PASSIVE",
    ]
