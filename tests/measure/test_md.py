"""The md protocol: what an integrator owes a harmonic molecule, and what is kept of a trajectory."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes

from bench.adapter import Adapter
from bench.measure.measurers import CannotKeep
from bench.paths import PROJECT
from bench.protocols.md import energies, trajectory_file
from bench.protocols.md.body import Body
from bench.protocols.md.measure import Relaxed, simulate
from bench.protocols.md.plan import TrajectoryPlan
from bench.protocols.md.thermal import internal_motions, set_momenta

KEY = {"method": "harmonic", "device": "cpu", "round": 0}
NAPHTHALENE = ase.io.read(PROJECT / "datasets" / "naphthalene.xyz")


def rigid_motions(atoms):
    arms = atoms.positions - atoms.positions.mean(axis=0)
    return [np.broadcast_to(axis, arms.shape) for axis in np.eye(3)] + [np.cross(axis, arms) for axis in np.eye(3)]


class Harmonic(Calculator):
    """A quadratic energy about the reference: the second order of springs between all atoms (eV, Angstrom)."""

    implemented_properties = ("energy", "forces")

    def __init__(self, reference, stiffness=3.0):
        super().__init__()
        self.rest = reference.positions.copy()
        vectors = reference.get_all_distances(vector=True)
        lengths = np.linalg.norm(vectors, axis=-1) + np.eye(len(reference))
        units_ = vectors / lengths[..., None]
        blocks = -stiffness * np.einsum("ija,ijb->iajb", units_, units_)
        hessian = blocks.reshape(3 * len(reference), -1)
        for i in range(len(reference)):
            here = slice(3 * i, 3 * i + 3)
            hessian[here, here] = -sum(hessian[here, 3 * j : 3 * j + 3] for j in range(len(reference)) if j != i)
        # springs in a plane leave what goes out of it free: hold everything but the rigid motions besides
        rigid = np.linalg.qr(np.stack([one.ravel() for one in rigid_motions(reference)], axis=1))[0]
        self.hessian = hessian + stiffness * (np.eye(len(hessian)) - rigid @ rigid.T)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        displacement = (atoms.positions - self.rest).ravel()
        forces = -self.hessian @ displacement
        self.results = {"energy": -0.5 * float(forces @ displacement), "forces": forces.reshape(-1, 3)}


@pytest.fixture(scope="module")
def adapter():
    made = Adapter()
    made.reference = NAPHTHALENE
    return made


@pytest.fixture(scope="module")
def long(adapter, tmp_path_factory):
    """Return the contents of five picoseconds at constant energy."""
    return run(adapter, tmp_path_factory.mktemp("long"), duration_ps=5.0)[1]


def plan(**changes):
    fields = {
        "trajectory": 0,
        "ensemble": "nve",
        "seed": 3,
        "time_step_fs": 0.5,
        "temperature_k": 500.0,
        "duration_ps": 1.0,
    }
    return TrajectoryPlan(**{**fields, **changes})


def run(adapter, folder, **changes):
    calculator = Harmonic(NAPHTHALENE)
    record = simulate(adapter, calculator, Relaxed(adapter, calculator), plan(**changes), folder / "kept", key=KEY)
    return record, trajectory_file.read(folder / record.file) if record.file else None


def noise(content):
    return energies.noise(content.potential + content.kinetic, content.time_step_fs)


def test_the_momenta_neither_move_nor_turn_the_molecule_and_have_twice_the_target():
    atoms = NAPHTHALENE.copy()
    set_momenta(atoms, 500.0, seed=1)
    assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-10
    assert np.abs(atoms.get_angular_momentum()).max() < 1e-8
    assert atoms.get_kinetic_energy() == pytest.approx(2 * 1.5 * 18 * units.kB * 500)


def test_a_seed_gives_the_same_trajectory_again(adapter, tmp_path):
    first, second = (run(adapter, tmp_path / name, duration_ps=0.1)[1] for name in "ab")
    assert (first.positions == second.positions).all()
    other = run(adapter, tmp_path / "c", duration_ps=0.1, seed=4)[1]
    assert not (first.positions == other.positions).all()


def test_the_noise_of_the_energy_goes_with_the_square_of_the_time_step(adapter, tmp_path):
    whole = noise(run(adapter, tmp_path / "whole", time_step_fs=0.5)[1])
    half = noise(run(adapter, tmp_path / "half", time_step_fs=0.25)[1])
    assert energies.noise_exponent(whole, half) == pytest.approx(2.0, abs=0.1)


def test_a_harmonic_molecule_settles_at_the_target_with_half_of_its_energy_kinetic(long):
    kept = energies.settled(len(long.kinetic), long.time_step_fs)
    assert long.kinetic[kept].mean() == pytest.approx(1.5 * 18 * units.kB * 500, rel=0.05)
    assert long.potential[kept].mean() == pytest.approx(long.kinetic[kept].mean(), rel=0.1)


def test_harmonic_dynamics_does_not_drift(long):
    found = energies.drift(long.potential + long.kinetic, long.kinetic, 0.5, 18)
    assert abs(found.slope) < 0.01
    assert found.ratio < 0.05


def test_a_thermostat_holds_the_kinetic_energy_over_all_velocities(adapter, tmp_path):
    _, content = run(adapter, tmp_path, ensemble="nvt", duration_ps=5.0)
    kept = energies.settled(len(content.kinetic), content.time_step_fs)
    assert content.kinetic[kept].mean() == pytest.approx(1.5 * 18 * units.kB * 500, rel=0.1)


@pytest.mark.parametrize(
    ("formula", "count"), [("H2", 1), ("CO2", 4), ("C2H2", 7), ("H2O", 3), ("CH4", 9), ("C6H6", 30), ("He", 0)]
)
def test_internal_motions_are_counted(formula, count):
    assert internal_motions(Atoms("He") if formula == "He" else molecule(formula)) == count


@pytest.mark.parametrize("formula", ["H2", "CO2", "H2O", "C6H6"])
def test_a_molecule_that_is_not_md17_s_has_the_energy_of_its_internal_motions(formula):
    atoms = molecule(formula)
    set_momenta(atoms, 300.0, seed=1, temperature_of="internal")
    assert atoms.get_kinetic_energy() == pytest.approx(internal_motions(atoms) * units.kB * 300)
    assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-10
    assert np.abs(atoms.get_angular_momentum()).max() < 1e-8


class Bonds(Calculator):
    """Springs between the atoms of a small molecule (eV, Angstrom)."""

    implemented_properties = ("energy", "forces")

    def __init__(self, reference):
        super().__init__()
        self.rest = reference.get_all_distances()

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        vectors = atoms.positions[:, None] - atoms.positions
        lengths = np.linalg.norm(vectors, axis=-1)
        stretch = lengths - self.rest
        forces = -30.0 * ((stretch / (lengths + np.eye(len(atoms))))[..., None] * vectors).sum(axis=1)
        self.results = {"energy": 7.5 * float((stretch**2).sum()), "forces": forces}


@pytest.mark.parametrize("formula", ["H2", "H2O"])
def test_a_thermostat_moves_the_internal_motions_alone_and_each_seed_differently(formula, tmp_path):
    """That they then have the temperature, test_md_campaign.py sees for the same molecules and a real method."""
    small = Adapter()
    small.reference = molecule(formula)
    found = []
    for seed in range(3):
        calculator = Bonds(small.reference)
        planned = plan(ensemble="nvt", seed=seed, temperature_k=300.0, duration_ps=0.5, temperature_of="internal")
        record = simulate(small, calculator, Relaxed(small, calculator), planned, tmp_path / "kept", key=KEY)
        content = trajectory_file.read(tmp_path / record.file)
        found.append(content.kinetic.mean())
        assert energies.rigid_share(Body.of(small.reference), content.positions[-10:], content.velocities[-10:]) < 1e-6
    assert len(set(found)) == 3


def test_a_trajectory_has_each_step_and_every_tenth_frame(adapter, tmp_path):
    record, content = run(adapter, tmp_path, duration_ps=0.05)
    assert (record.status, record.steps, record.failure) == ("done", 100, None)
    assert record.file == "kept/harmonic-cpu-nve-0.5fs-seed3.nc"
    assert len(content.potential) == 101
    assert content.positions.shape == content.velocities.shape == (11, 18, 3)
    assert content.frame_times_ps[-1] == pytest.approx(0.05)
    assert (content.calculator_ns > 0).all()
    assert (content.integrator_ns[1:] > 0).all()
    assert content.calculator_ns.sum() + content.integrator_ns.sum() < record.wall_ns


def test_ase_reads_the_file_with_its_momenta(adapter, tmp_path):
    record, content = run(adapter, tmp_path, duration_ps=0.05)
    images = ase.io.read(tmp_path / record.file, ":", format="netcdftrajectory")
    assert len(images) == 11
    assert images[3].get_chemical_formula() == "C10H8"
    assert images[3].positions == pytest.approx(content.positions[3])
    assert images[3].get_kinetic_energy() == pytest.approx(content.kinetic[30], rel=1e-5)
    assert not images[3].pbc.any()


def test_a_trajectory_that_runs_out_of_time_is_censored_with_what_there_is(adapter, tmp_path):
    calculator = Harmonic(NAPHTHALENE)
    start = Relaxed(adapter, calculator)
    start.atoms()
    record = simulate(adapter, calculator, start, plan(), tmp_path / "kept", key=KEY, deadline_ns=0)
    assert (record.status, record.steps) == ("censored", 1)
    assert len(trajectory_file.read(tmp_path / record.file).potential) == 2


def test_atoms_that_fly_apart_are_a_failure_with_its_class(adapter, tmp_path):
    record, content = run_doctored(adapter, tmp_path, lambda forces, step: -forces)
    assert (record.status, record.failure.kind) == ("failed", "explosion")
    assert record.steps == len(content.potential) - 1 > 0


def test_a_force_that_is_not_a_number_is_a_failure_with_what_came_before(adapter, tmp_path):
    record, content = run_doctored(adapter, tmp_path, lambda forces, step: forces if step < 50 else forces * np.nan)
    assert (record.status, record.failure.kind) == ("failed", "nan")
    assert np.isfinite(content.potential).all()
    assert len(content.potential) == record.steps + 1


def run_doctored(adapter, folder, change):
    calculator = Harmonic(NAPHTHALENE)
    start = Relaxed(adapter, calculator)
    start.atoms()
    calls = []
    plain = calculator.calculate

    def calculate(*arguments, **named):
        plain(*arguments, **named)
        calls.append(1)
        calculator.results["forces"] = change(calculator.results["forces"], len(calls))

    calculator.calculate = calculate
    record = simulate(adapter, calculator, start, plan(), folder / "kept", key=KEY)
    return record, trajectory_file.read(folder / record.file)


def test_a_molecule_that_cannot_be_relaxed_is_a_failure(adapter, tmp_path):
    class Broken(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            raise RuntimeError("no convergence in the SCF cycle")

    record = simulate(adapter, Broken(), Relaxed(adapter, Broken()), plan(), tmp_path / "kept", key=KEY)
    assert (record.status, record.steps, record.file) == ("failed", 0, None)
    assert "the structure cannot be relaxed: RuntimeError: no convergence" in record.failure.message


def test_a_relaxation_that_meets_a_nan_is_a_failure_of_that_class(adapter, tmp_path):
    class Broken(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results = {"energy": np.nan, "forces": np.zeros((len(atoms), 3))}

    record = simulate(adapter, Broken(), Relaxed(adapter, Broken()), plan(), tmp_path / "kept", key=KEY)
    assert record.failure.kind == "nan"


def test_the_relaxation_before_the_first_trajectory_is_time_that_it_took(adapter, tmp_path):
    calculator = Harmonic(NAPHTHALENE)
    start = Relaxed(adapter, calculator, deadline_ns=0)
    record = simulate(adapter, calculator, start, plan(), tmp_path / "kept", key=KEY)
    assert (record.status, record.steps, record.file) == ("censored", 0, None)
    assert record.wall_ns > 0


def test_a_single_atom_is_not_simulated(tmp_path):
    from ase.calculators.lj import LennardJones

    alone = Adapter()
    alone.reference = Atoms("He")
    record = simulate(alone, LennardJones(), Relaxed(alone, LennardJones()), plan(), tmp_path / "kept", key=KEY)
    assert (record.status, record.steps) == ("failed", 0)
    assert "it has no internal motion" in record.failure.message


def test_a_file_that_is_no_trajectory_is_refused(tmp_path):
    path = Path(tmp_path / "other.nc")
    path.write_bytes(b"CDF\x01")
    with pytest.raises((ValueError, OSError)):
        trajectory_file.read(path)


def test_the_kinetic_energy_of_ase_is_ours():
    atoms = Atoms("CH", positions=[(0, 0, 0), (0, 0, 1.1)])
    atoms.set_velocities([(0.1, 0, 0), (0, 0.3, 0)])
    masses, velocities = atoms.get_masses(), atoms.get_velocities()[None]
    assert energies.temperature(masses, velocities) == pytest.approx(2 * atoms.get_kinetic_energy() / (6 * units.kB))


def test_a_disk_that_takes_no_file_is_no_failure_of_the_method(adapter, tmp_path):
    (tmp_path / "kept").write_text("in the way of the folder")
    with pytest.raises(CannotKeep, match="exists"):
        run(adapter, tmp_path, duration_ps=0.01)


def test_a_file_that_cannot_be_written_completely_is_not_there_at_all(adapter, tmp_path):
    _, content = run(adapter, tmp_path, duration_ps=0.01)
    full = tmp_path / "full"
    full.mkdir()
    (full / "one.nc.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        trajectory_file.write(full / "one.nc", content)
    assert not list(full.iterdir())
