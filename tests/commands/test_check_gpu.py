"""check-gpu as a person runs it: here on the CPU, by the same path as on a GPU."""

import tarfile

import pytest

from bench.engine.check_gpu import cheapest_first
from bench.environments.catalogue import Catalogue
from bench.machine import accelerators
from bench.results import store

no_gpu = pytest.mark.skipif(bool(accelerators.found("cuda")), reason="this machine has a GPU")


@pytest.fixture(scope="module")
def checked(request, tmp_path_factory, pesbench):
    output = tmp_path_factory.mktemp("checked")
    fakes = request.path.parents[1] / "fakes" / "fakes.py"
    names = ("toy", "dies-at-once", "fails-to-load", "only-cuda", "uff")
    done = pesbench("check-gpu", "--device", "cpu", "--minutes", "4", "--adapter", fakes, "--output", output, *names)
    (directory,) = (one for one in output.iterdir() if one.is_dir())
    return done, directory


def block(text, method):
    return next(part for part in text.split("\n\n") if part.startswith(f"{method}: "))


def test_a_right_method_is_checked_and_measured(checked):
    done, directory = checked
    assert done.returncode == 0, done.stderr
    found = block(done.stdout, "toy")
    assert "environment " in found.splitlines()[0]
    assert " ok, 0 failed, " in found
    assert "ms each (converged)" in found
    assert "ms per force call" in found
    assert "FAILED" not in found
    contents = store.read(directory)
    assert {record.structure for record in contents.relaxations if record.method == "toy"} == {0, 50}
    assert {record.method for record in contents.started} == {"toy", "uff"}


def test_each_failure_is_followed_by_what_to_do(checked):
    done, _ = checked
    crash = block(done.stdout, "dies-at-once")
    assert "died of SIGSEGV" in crash
    assert "CUDA_LAUNCH_BLOCKING=1" in crash
    assert "these weights are for another model" in block(done.stdout, "fails-to-load")
    assert "leave it out; 'pesbench list' shows" in " ".join(block(done.stdout, "only-cuda").split())
    for method in ("dies-at-once", "fails-to-load", "only-cuda"):
        lines = block(done.stdout, method).splitlines()
        failed = [number for number, line in enumerate(lines) if line.startswith("  FAILED")]
        assert failed
        assert done.stdout.count("FAILED") <= done.stdout.count("to do:")


def test_the_result_is_a_run_and_a_file_of_it_that_can_be_taken_home(checked, tmp_path, pesbench):
    _, directory = checked
    with tarfile.open(directory.with_suffix(".tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    table = pesbench("table", tmp_path / directory.name)
    assert table.returncode == 0, table.stderr
    assert "fails-to-load" in table.stdout
    assert (tmp_path / directory.name / "check-gpu.log").read_text().startswith("check-gpu on CPU")


def test_what_does_not_fit_into_the_time_is_told(tmp_path, pesbench, request):
    fakes = request.path.parents[1] / "fakes" / "fakes.py"
    done = pesbench(
        *("check-gpu", "--device", "cpu", "--minutes", "0.05", "--adapter", fakes, "--output", tmp_path, "toy")
    )
    assert done.returncode == 1
    assert "the time was over before its turn" in done.stdout
    assert "give more with --minutes" in " ".join(done.stdout.split())


@no_gpu
@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_without_a_gpu_it_says_so_in_one_sentence(pesbench, tmp_path, device):
    done = pesbench("check-gpu", "--device", device, "--output", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pesbench: nvidia-smi shows no GPU on this machine; ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_environment_is_first_and_methods_of_one_environment_are_together():
    catalogue = Catalogue([])
    methods = cheapest_first(catalogue, list(catalogue.methods.values()))
    sizes = [catalogue.header(method).download_mb for method in methods]
    assert sizes == sorted(sizes)
    files = [method.adapter for method in methods]
    assert len([one for one, before in zip(files[1:], files, strict=False) if one != before]) == len(set(files)) - 1
