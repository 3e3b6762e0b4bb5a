"""The conformance kit on whole adapter files: the header here, the rest in a worker in the method's environment."""

import pytest

from bench.core.description import ParallelSpeed
from bench.core.device import CPU
from bench.core.settings import Settings
from bench.data.structures import load_dataset
from bench.engine.conform import conform
from bench.environments.catalogue import Catalogue


@pytest.fixture(scope="module")
def checked(request):
    fakes = request.path.parents[1] / "fakes" / "fakes.py"
    catalogue = Catalogue([fakes])
    dataset = load_dataset("naphthalene-gfn2")

    def check(name):
        method = catalogue.methods[name]
        settings = Settings(methods=(name,), weights="pretrained", timeout_s=20)
        found = conform(catalogue, method, dataset, settings, CPU, ParallelSpeed(1, 1.0), lambda line: None)
        return {one.name: one for one in found}

    return check


def failed(checks):
    return [name for name, one in checks.items() if one.passed is False]


def test_a_right_method_passes_in_its_own_environment(checked):
    checks = checked("toy")
    assert failed(checks) == []
    assert checks["forces are minus the energy's derivative"].passed
    assert checks["methods have labels"].passed


@pytest.mark.parametrize(
    ("name", "caught_by", "says"),
    [
        ("fails-to-load", "it loads", "these weights are for another model"),
        ("dies-at-once", "it stays alive", "died of SIGSEGV; before the first check"),
        ("needs-weights", "it can run here", "no-such-file.ckpt is not here"),
        ("only-cuda", "it can run here", "runs on cuda only"),
    ],
)
def test_what_keeps_a_method_from_being_checked_is_a_failed_check(checked, name, caught_by, says):
    checks = checked(name)
    assert caught_by in failed(checks)
    assert says in checks[caught_by].figure
    assert checks[caught_by].advice


def test_a_method_that_cannot_take_the_structures_is_told_how_to_name_others(request, tmp_path):
    text = (request.path.parents[1] / "fakes" / "metals.py").read_text()
    (tmp_path / "copper.py").write_text(text.replace("# stress = true\n", '# elements = ["Cu"]\n', 1))
    catalogue = Catalogue([tmp_path / "copper.py"])
    settings = Settings(methods=("emt",), timeout_s=20)
    dataset = load_dataset("naphthalene-gfn2")
    found = conform(catalogue, catalogue.methods["emt"], dataset, settings, CPU, ParallelSpeed(1, 1.0), print)
    (one,) = (check for check in found if check.passed is False)
    assert one.figure == "emt cannot take naphthalene-gfn2: emt does not know C, H; --structures takes others."


def test_what_goes_wrong_in_the_middle_is_told_with_the_place(checked):
    checks = checked("dies")
    assert "after the check" in checks["it stays alive"].figure


def test_a_nan_that_comes_late_is_no_answer(checked):
    assert "nan eV" in checked("returns-nan")["the same answer comes twice"].figure
