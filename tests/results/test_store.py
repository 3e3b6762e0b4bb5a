"""A run directory: what is written survives, what is read is what was written."""

import dataclasses
import json
import resource

import numpy as np
import pytest
from ase import Atoms

from bench.core.description import DataSetFacts, Description, MethodFacts, SystemFacts
from bench.core.failure import Failure
from bench.core.records import FORMAT, NotMeasured, Started
from bench.core.settings import Settings
from bench.data.structures import load_dataset
from bench.errors import BadInput
from bench.protocols.relax.record import Relaxation
from bench.results import dataframes, store

KEY = {"method": "toy", "device": "cpu", "round": 0}
DESCRIPTION = Description(
    pesbench="0", settings=Settings(methods=("toy",)), methods={"toy": MethodFacts("Toy", "toys", "mlip")}
)


def relaxation(structure, calculator=(5, 6, 7), optimizer=(1, 2, 3)):
    return Relaxation(
        **KEY,
        structure=structure,
        optimizer="BFGS",
        status="converged",
        steps=len(optimizer) - 1,
        force_calls=len(optimizer),
        energy=-1.0,
        fmax=0.01,
        positions=((0.0, 0.0, 0.0),),
        wall_ns=99,
        trace={
            "calculator_ns": calculator,
            "optimizer_ns": optimizer,
            "harness_ns": (0,) * len(optimizer),
            "force_calls": (1,) * len(optimizer),
            "energy": (0.0,) * len(optimizer),
            "fmax": (0.0,) * len(optimizer),
        },
    )


STARTED = Started(
    **KEY,
    weights="none",
    dtype="float64",
    threads=1,
    parameters=None,
    import_ns=1_000_000_000,
    load_ns=500_000_000,
    first_call_ns=250_000_000,
    warmup_ns=(1, 2),
    settings={},
    versions={},
    thread_pools=(),
    environment={},
)


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "two.xyz"
    from ase.io import write

    write(path, [Atoms("H2", [(0, 0, 0), (0, 0, 0.7 + 0.1 * k)]) for k in range(2)])
    return load_dataset(path)


@pytest.fixture
def writer(tmp_path, dataset):
    described = dataclasses.replace(DESCRIPTION, dataset=DataSetFacts(name="two", digest=dataset.digest))
    return store.create(tmp_path / "run", described, dataset)


def read_all(writer):
    return dataframes.load(writer.directory)


def test_structures_methods_and_steps_come_back_as_data_frames(writer):
    writer.append(STARTED)
    writer.append(relaxation(0))
    writer.append(relaxation(1, calculator=(8, 9), optimizer=(1, 1)))
    run = read_all(writer)
    assert run.structures.step_ns.tolist() == [6 + 7 + 2 + 3, 9 + 1]
    assert run.structures.calculator_ns.tolist() == [18, 17]
    assert run.steps.step.tolist() == [0, 1, 2, 0, 1]
    assert run.steps.calculator_ns.tolist() == [5, 6, 7, 8, 9]
    assert run.methods.cold_start_s.tolist() == [1.75]


def test_a_native_trace_has_no_calculator_time(writer):
    native = dataclasses.replace(
        relaxation(0), optimizer="native", force_calls=None, trace={"optimizer_ns": (0, 4), "harness_ns": (0, 0)}
    )
    writer.append(native)
    run = read_all(writer)
    assert run.structures.step_ns.tolist() == [4]
    assert run.structures.step_calculator_ns.isna().all()
    assert np.isnan(run.steps.calculator_ns).all()


def test_a_later_record_takes_the_place_of_an_earlier_one(writer):
    writer.append(relaxation(0))
    writer.append(relaxation(0, calculator=(50, 60, 70)))
    assert read_all(writer).structures.calculator_ns.tolist() == [180]


def test_what_once_stood_in_the_way_is_forgotten_when_the_method_runs_after_all(writer):
    writer.append(NotMeasured(**KEY, failure=Failure("environment", "no network")))
    assert read_all(writer).methods.failure.tolist() == ["environment"]
    writer.append(STARTED)
    assert read_all(writer).methods.failure.isna().all()


def test_a_torn_last_line_is_passed_over_and_mended(writer):
    writer.append(relaxation(0))
    path = writer.directory / "records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(read_all(writer).structures) == 1
    again = store.RunWriter(writer.directory)
    again.append(relaxation(1))
    assert read_all(again).structures.structure.tolist() == [0, 1]


def test_a_damaged_line_is_passed_over_named_once_and_left_as_it_is(writer):
    writer.append(relaxation(0))
    writer.append(relaxation(1))
    path = writer.directory / "records.jsonl"
    one, other = path.read_bytes().splitlines()
    hostile = [b"{garbage}", b"\xff\xfe", b"[" * 100_000, b"", b'{"record":"unheard-of"}', b'{"wall_ns":NaN}']
    damaged = b"\n".join([hostile[0], one, *hostile[1:], other]) + b"\n"
    path.write_bytes(damaged)
    said = []
    run = dataframes.load(writer.directory, said.append)
    assert run.structures.structure.tolist() == [0, 1]
    assert run.contents.damaged == (1, 3, 4, 5, 6, 7)
    assert said == ["run: lines 1, 3–7 of records.jsonl are damaged, or of another pesbench, and were skipped."]
    store.RunWriter(writer.directory).append(relaxation(2))
    assert path.read_bytes().startswith(damaged)
    assert read_all(writer).structures.structure.tolist() == [0, 1, 2]


def test_a_record_of_another_number_of_atoms_than_its_structure_has_is_damaged(tmp_path, dataset):
    facts = DataSetFacts(name="two", systems=(SystemFacts("two", "C2", 2, frames=(0, 1)),))
    writer = store.create(tmp_path / "run", dataclasses.replace(DESCRIPTION, dataset=facts), dataset)
    whole = relaxation(0)
    writer.append(dataclasses.replace(whole, positions=((0.0, 0.0, 0.0),) * 2))
    writer.append(dataclasses.replace(whole, structure=1, positions=((0.0, 0.0, 0.0),) * 3))
    assert store.read(writer.directory).damaged == (2,)


def test_a_lone_surrogate_as_version_0_1_wrote_it_is_no_damage(writer):
    failed = dataclasses.replace(relaxation(0), status="failed", failure=Failure("calculator", "no file caf? here"))
    writer.append(failed)
    path = writer.directory / "records.jsonl"
    path.write_bytes(path.read_bytes().replace(b"caf?", b"caf\\udce9"))
    said = []
    run = dataframes.load(writer.directory, said.append)
    assert run.structures.message.tolist() == ["no file caf\N{REPLACEMENT CHARACTER} here"]
    assert (run.contents.damaged, said) == ((), [])


@pytest.mark.parametrize("version", [0, FORMAT + 1, "2", None, [2]])
def test_a_run_of_another_format_is_refused_with_the_version_that_reads_it(writer, version):
    path = writer.directory / "campaign.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": version}))
    with pytest.raises(BadInput, match=r"this pesbench reads the formats 1 to 2; use the pesbench that wrote it \(0\)"):
        read_all(writer)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a run directory"),
        ("[1]", "is not a run directory"),
        ('{"format": 2, "methods": []}', "is damaged"),
        ('{"format": 2, "methods": {"a": {"label": "A"}}}', "is damaged"),
        ('{"format": 2, "settings": {"methods": ["a"], "threads": 0}}', "--threads is 0"),
    ],
)
def test_a_damaged_description_is_bad_input(writer, text, says):
    (writer.directory / "campaign.json").write_text(text)
    with pytest.raises(BadInput, match=says):
        store.describe(writer.directory)


def test_what_was_described_comes_back_as_it_was(writer, dataset):
    assert store.describe(writer.directory) == dataclasses.replace(
        DESCRIPTION, dataset=DataSetFacts(name="two", digest=dataset.digest)
    )


def test_a_full_disk_loses_nothing_that_was_written(writer):
    writer.append(relaxation(0))
    size = (writer.directory / "records.jsonl").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # a limit in the middle of the next line: the write stops there as on a full disk
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            writer.append(relaxation(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (writer.directory / "records.jsonl").stat().st_size == size
    writer.append(relaxation(1))
    assert read_all(writer).structures.structure.tolist() == [0, 1]


def test_a_run_is_found_by_its_id_its_folder_and_as_the_newest(writer):
    results = writer.directory.parent
    writer.append(relaxation(0))
    assert store.find("run", results) == writer.directory
    assert store.find(writer.directory, results) == writer.directory
    assert store.find(results) == writer.directory
    assert store.find(None, results) == writer.directory


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadInput, match="there is no run 'nowhere'"):
        store.find("nowhere", tmp_path)
    with pytest.raises(BadInput, match="there is no run in"):
        store.find(None, tmp_path)


def test_the_data_set_of_a_run_is_read_from_the_run(writer, dataset):
    stored = store.stored_dataset(writer.directory, read_all(writer).description)
    assert stored.digest == dataset.digest
    assert stored.name == "two"
    path = writer.directory / "structures.xyz"
    path.write_text(path.read_text().replace("0.8", "0.9"))
    with pytest.raises(BadInput, match="is not what was measured"):
        store.stored_dataset(writer.directory, read_all(writer).description)
