"""Records and their JSON."""

import dataclasses
import json

import pytest

from bench.core.lines import from_json, to_json
from bench.core.protocol import RELAX
from bench.core.records import CONVERGED, FAILED, Failure, Finished, NotMeasured
from bench.core.task import MEASURE, Criterion, Item, Subject, Task
from bench.protocols import lost
from bench.protocols.accuracy.record import SinglePoint
from bench.protocols.md.record import Trajectory
from bench.protocols.relax.record import Relaxation
from bench.protocols.scaling.record import Size

KEY = {"method": "toy", "device": "cpu", "round": 1}
RELAXATION = Relaxation(
    **KEY,
    structure=3,
    optimizer="BFGS",
    status=CONVERGED,
    steps=1,
    force_calls=2,
    energy=-1.5,
    fmax=0.01,
    positions=((0.0, 0.1, 0.2),),
    wall_ns=30,
    trace={"calculator_ns": (10, 11), "optimizer_ns": (1, 2), "harness_ns": (0, 0)},
)
TASK = Task(
    MEASURE,
    Subject("x.py", "toy", "toy", "cpu", "float64", threads=1, seed=0),
    criterion=Criterion("CG", 0.05, 500),
)


def as_read(record):
    return from_json(to_json(record))


def test_a_record_is_one_line_and_reads_back():
    assert "\n" not in to_json(RELAXATION)
    back = as_read(RELAXATION)
    assert type(back) is Relaxation
    assert back.structure == 3
    assert list(back.trace["calculator_ns"]) == [10, 11]
    assert as_read(Finished(**KEY, peak_memory_bytes=5, peak_device_memory_bytes=None)).peak_memory_bytes == 5


def test_a_failure_reads_back_with_its_class():
    failure = Failure("nan", "not finite")
    assert as_read(NotMeasured(**KEY, failure=failure)).failure == failure
    record = as_read(lost(TASK, Item(RELAX, 2), failure))
    assert (record.status, record.structure, record.optimizer, record.failure) == (FAILED, 2, "CG", failure)


def test_a_failure_has_a_known_class():
    with pytest.raises(ValueError, match="unknown failure class"):
        Failure("bad luck", "")


@pytest.mark.parametrize(
    "trace",
    [
        {"optimizer_ns": [0]},
        {"optimizer_ns": [0], "harness_ns": [0], "calculatoq_ns": [1]},
        {"optimizer_ns": [0], "harness_ns": [0, 0]},
        {"optimizer_ns": [0], "harness_ns": [None]},
        {"optimizer_ns": [0], "harness_ns": [0], "energy": ["low"]},
    ],
)
def test_a_trace_with_other_columns_is_no_record(trace):
    fields = json.loads(to_json(RELAXATION))
    assert from_json(json.dumps(fields)) is not None
    with pytest.raises(ValueError, match="its trace"):
        from_json(json.dumps({**fields, "trace": trace}))


def test_an_answer_without_forces_is_no_record():
    answer = '{"record":"answer","method":"toy","device":"cpu","round":0,"structure":1,"energy":1.0,"forces":%s}'
    assert from_json(answer % "[[0.0, 0.0, 1.0]]").forces == [[0.0, 0.0, 1.0]]
    with pytest.raises(ValueError, match="no forces"):
        from_json(answer % "[]")


@pytest.mark.parametrize("step", [0.0, -0.5])
def test_a_trajectory_without_a_positive_time_step_is_no_record(step):
    made = Trajectory("a", "cpu", 0, 0, "nve", 1, step, 500.0, 20.0, "done", 40_000, 10**9, "a.npz")
    with pytest.raises(ValueError, match="time step"):
        from_json(json.dumps({"record": made.record, **dataclasses.asdict(made)}))


@pytest.mark.parametrize("calls", [(), (0, 0)])
def test_a_size_that_is_done_in_no_time_is_no_record(calls):
    made = Size("a", "cpu", 0, 0, 18, "done", 10, 10, calls, None, None, 60)
    assert as_read(dataclasses.replace(made, status="censored")).atoms == 18
    with pytest.raises(ValueError, match="its force calls have no time"):
        as_read(made)


def test_a_nan_never_reaches_a_file():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(dataclasses.replace(RELAXATION, energy=float("nan")))


@pytest.mark.parametrize("line", ["{", "[]", '{"record":"unheard-of"}', '{"record":"finished","method":"toy"}'])
def test_what_is_no_record_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        from_json(line)


@pytest.mark.parametrize("missing", ["energy", "forces"])
def test_a_single_point_that_is_done_has_an_answer(missing):
    whole = SinglePoint(
        **KEY, structure=0, status="done", energy=-1.0, forces=((0.0, 0.0, 0.1),), calculator_ns=0, wall_ns=1
    )
    assert as_read(whole).energy == -1.0
    with pytest.raises(ValueError, match="it has no answer"):
        as_read(dataclasses.replace(whole, **{missing: None}))
