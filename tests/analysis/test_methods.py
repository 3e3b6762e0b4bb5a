"""What is known of a method: of the plan alone where no worker started, else of what its workers told."""

import dataclasses

import pytest

from bench.analysis.methods import measured_methods
from bench.core.description import Description, MethodFacts
from bench.core.failure import Failure
from bench.core.records import Finished, NotMeasured, Started
from bench.core.settings import Settings

THEORY = {"functional": "force field", "basis": "-", "dispersion": "none", "source": "a paper", "added": ""}
DESCRIPTION = Description(
    settings=Settings(methods=("a", "n"), devices=("cpu", "cuda"), optimizer="CG", threads=4),
    methods={
        "a": MethodFacts("A", "as", "mlip", paper="nequix-mp-1", parameters=700, tuned=("compiled",), note="Fast."),
        "n": MethodFacts("N", "ns", "force-field", native=True, theory=THEORY),
    },
)


def started(number, **changes):
    fields = {
        "method": "a",
        "device": "cpu",
        "round": number,
        "weights": "pretrained",
        "dtype": "float32",
        "threads": 2,
        "parameters": 707,
        "import_ns": 1_000_000_000,
        "load_ns": number * 1_000_000_000,
        "first_call_ns": None,
        "warmup_ns": (),
        "settings": {"head": "omol"},
        "versions": {},
        "thread_pools": (
            {"user_api": "openmp", "num_threads": 2},
            {"user_api": "openmp", "num_threads": 3},
            {"user_api": "blas", "num_threads": 9},
        ),
        "environment": {"brought": "torch 2.1.0 instead of ==2.13.0"},
        "warm_up_calls": number,
        "settled": number != 1,
    }
    return Started(**(fields | changes))


def of(*records):
    return {method.key: method for method in measured_methods(DESCRIPTION, records)}


def test_each_method_is_there_on_each_device_with_what_was_planned():
    found = of()
    assert set(found) == {("a", "cpu"), ("n", "cpu"), ("a", "cuda"), ("n", "cuda")}
    one = found["a", "cuda"]
    assert (one.label, one.paper, one.parameters, one.tuned, one.note) == (
        *("A", "nequix-mp-1", 700, ("compiled",)),
        "Fast.",
    )
    assert (one.optimizer, found["n", "cpu"].optimizer) == ("CG", "native")
    assert (one.theory, found["n", "cpu"].theory) == (None, THEORY)
    assert (one.weights, one.cold_start_s, one.settled, one.peak_memory_bytes, one.failure) == (None,) * 5
    assert (one.threads, one.dtype, one.brought) == (4, "float64", None)


def test_what_the_workers_told_takes_its_place():
    finished = [Finished("a", "cpu", i, memory, None) for i, memory in enumerate([5, 9, None])]
    found = of(*(started(number) for number in (0, 1, 4)), *finished)
    one = found["a", "cpu"]
    assert (one.weights, one.dtype, one.threads, one.parameters) == ("pretrained", "float32", 2, 707)
    assert one.cold_start_s == pytest.approx(2.0)  # the median of 1, 2 and 5
    assert (one.warm_up_calls, one.settled, one.threads_found) == (4, False, 3)
    assert (one.peak_memory_bytes, one.peak_device_memory_bytes) == (9, None)
    assert one.brought == "torch 2.1.0 instead of ==2.13.0"
    assert found["a", "cuda"].weights is None


def test_why_it_was_not_measured_is_the_last_reason():
    reasons = [NotMeasured("a", "cpu", i, Failure(kind, kind)) for i, kind in enumerate(("load", "crash"))]
    one = of(*reasons)["a", "cpu"]
    assert (one.failure, one.message) == ("crash", "crash")
    assert one.log == "logs/a-cpu-round1.log"
    assert dataclasses.replace(one, failure=None, message=None, log=None) == of()["a", "cpu"]
