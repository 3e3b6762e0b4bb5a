"""What keeps a method from running here, told before anything is made or fetched."""

import dataclasses
import json
from pathlib import Path

import pytest

from bench.core.device import Device
from bench.environments.catalogue import Catalogue
from bench.environments.doctor import obstacle

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
CPU = Device.parse("cpu")


@pytest.fixture(scope="module")
def toy():
    catalogue = Catalogue([FAKES])
    method = dataclasses.replace(catalogue.methods["toy"], charge=False, spin=False)
    return method, catalogue.header(method)


@pytest.mark.parametrize("state", [{}, {"spin": 2}])
def test_a_neutral_molecule_in_its_lowest_spin_is_nothing_that_a_method_has_to_be_told(toy, state):
    assert obstacle(*toy, CPU, ["C", "H"], **state) is None


def test_a_method_that_takes_no_charge_refuses_ions_by_name(toy):
    failure = obstacle(*toy, CPU, charge=1, spin=2)
    assert failure.kind == "charge"
    assert failure.message == f"{toy[0].label} takes no charge; the structures have charge +1"


def test_a_method_that_takes_no_spin_refuses_triplets_by_name(toy):
    failure = obstacle(*toy, CPU, spin=3)
    assert failure.kind == "spin"
    assert failure.message == f"{toy[0].label} takes no spin; the structures have spin multiplicity 3"


def test_a_method_that_takes_both_is_measured(toy):
    method, header = toy
    takes_both = dataclasses.replace(method, charge=True, spin=True)
    assert obstacle(takes_both, header, CPU, charge=-1, spin=4) is None


def test_a_device_that_the_method_does_not_know_or_that_is_not_here_is_an_obstacle(toy, monkeypatch, tmp_path):
    method, header = toy
    cuda = Device.parse("cuda")
    assert "runs on cpu only" in obstacle(dataclasses.replace(method, devices=("cpu",)), header, cuda).message
    monkeypatch.setenv("PATH", str(tmp_path))
    assert obstacle(dataclasses.replace(method, devices=("cuda",)), header, cuda).kind == "no-device"


def test_a_program_that_is_not_on_path_is_an_obstacle_with_the_way_to_install_it(toy):
    method, header = toy
    needs = dataclasses.replace(header, programs=("no-such-program",), programs_hint="apt-get install it")
    assert obstacle(method, needs, CPU).message == (
        "no-such-program is not on PATH; install it with 'apt-get install it'"
    )


def test_an_element_that_the_method_does_not_know_is_an_obstacle(toy):
    method, header = toy
    only_hydrogen = dataclasses.replace(method, elements=("H",))
    assert obstacle(only_hydrogen, header, CPU, ["C", "H"]).message.endswith("does not know C")


def test_the_doctor_says_for_each_device_what_counts_its_energy_or_why_nothing_does(pesbench):
    done = pesbench("doctor", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["machine"]["energy"]
    assert "cpu" in found
    assert all(bool(counter["names"]) != bool(counter["missing"]) for counter in found.values())
    (line,) = [line for line in pesbench("doctor").stdout.splitlines() if "joules on the CPU" in line]
    assert line.startswith("no joules" if found["cpu"]["missing"] else "joules")
