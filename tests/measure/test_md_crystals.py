"""Simulations of crystals and of systems with fixed atoms, on ASE's own EMT: what is conserved, and what is as warm."""

import ase.io
import numpy as np
import pytest
from ase import units
from ase.build import bulk, fcc111, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from bench.adapter import Adapter
from bench.protocols.md import energies, trajectory_file
from bench.protocols.md.body import Body
from bench.protocols.md.measure import Relaxed, simulate
from bench.protocols.md.plan import TrajectoryPlan
from bench.protocols.md.symmetry import examine
from bench.protocols.md.thermal import internal_motions, set_momenta

KEY = {"method": "emt", "device": "cpu", "round": 0}
STEP = 4.0  # fs; a tenth of a period of aluminium


def slab():
    atoms = fcc111("Al", (2, 2, 3), vacuum=6.0)
    atoms.set_constraint(FixAtoms(mask=atoms.get_tags() == 3))
    return atoms


def made(reference):
    adapter = Adapter()
    adapter.reference = reference
    return adapter


def run(reference, folder, **changes):
    fields = {"trajectory": 0, "ensemble": "nve", "seed": 1, "time_step_fs": STEP, "temperature_k": 300.0}
    plan = TrajectoryPlan(**{**fields, "duration_ps": 4.0, "temperature_of": "internal", **changes})
    adapter, calculator = made(reference), EMT()
    record = simulate(adapter, calculator, Relaxed(adapter, calculator), plan, folder / "kept", key=KEY)
    assert record.status == "done", record.failure
    return trajectory_file.read(folder / record.file)


@pytest.mark.parametrize(
    ("atoms", "count"),
    [
        (bulk("Al", cubic=True), 9),
        (bulk("Al"), 0),
        (slab(), 24),
        (fcc111("Al", (1, 1, 3), vacuum=6.0), 6),
        (molecule("H2O"), 3),
    ],
)
def test_motions_with_a_temperature_are_counted(atoms, count):
    assert internal_motions(atoms) == Body.of(atoms).internal_motions == count


@pytest.mark.parametrize("atoms", [bulk("Al", cubic=True), slab()])
def test_momenta_have_the_energy_of_what_can_move(atoms):
    set_momenta(atoms, 300.0, seed=1, temperature_of="internal")
    assert atoms.get_kinetic_energy() == pytest.approx(internal_motions(atoms) * units.kB * 300)
    still = atoms.get_momenta()[[i for one in atoms.constraints for i in one.get_indices()]]
    assert not still.any()
    if not len(still):
        assert np.abs(atoms.get_momenta().sum(axis=0)).max() < 1e-10


def test_a_crystal_at_constant_energy_keeps_it_has_its_temperature_and_stays_where_it_is(tmp_path):
    atoms = bulk("Al", cubic=True)
    atoms.rattle(0.03, seed=2)
    kept = run(atoms, tmp_path)
    body = Body.of(atoms)
    found = energies.drift(kept.potential + kept.kinetic, kept.kinetic, STEP, len(atoms))
    assert abs(found.slope) < 0.3  # meV/atom/ps
    assert found.noise < 3.0
    after = kept.velocities[energies.settled(len(kept.velocities), 10 * STEP)]
    temperature = energies.temperature(body.masses, after) * 3 * len(atoms) / body.internal_motions
    assert temperature == pytest.approx(300.0, rel=0.15)
    assert energies.rigid_share(body, kept.positions, kept.velocities) < 1e-9
    assert np.allclose(kept.cell, atoms.cell.array)


def test_fixed_atoms_stay_and_the_others_have_the_temperature(tmp_path):
    atoms = slab()
    kept = run(atoms, tmp_path)
    body = Body.of(atoms)
    assert np.ptp(kept.positions[:, ~body.free], axis=0).max() < 1e-5
    assert not kept.velocities[:, ~body.free].any()
    after = kept.velocities[energies.settled(len(kept.velocities), 10 * STEP)]
    assert energies.temperature(body.masses, after, body.free) == pytest.approx(300.0, rel=0.15)
    assert energies.rigid_share(body, kept.positions, kept.velocities) == 0.0
    found = energies.drift(kept.potential + kept.kinetic, kept.kinetic, STEP, len(atoms))
    assert abs(found.slope) < 0.3


@pytest.mark.parametrize("atoms", [bulk("Al", cubic=True), slab()])
def test_the_thermostat_gives_the_distribution_of_its_motions(atoms, tmp_path):
    freedom = internal_motions(atoms)
    kinetic = []
    for seed in range(2):
        kept = run(atoms, tmp_path, ensemble="nvt", seed=seed, duration_ps=12.0)
        kinetic.append(kept.kinetic[energies.settled(len(kept.kinetic), STEP)])
    every = np.concatenate(kinetic)
    # twice the kinetic energy over kT is chi-squared: its mean is the number of motions, its variance twice that
    twice = 2 * every / (units.kB * 300.0)
    assert twice.mean() == pytest.approx(freedom, rel=0.12)
    assert twice.var() == pytest.approx(2 * freedom, rel=0.5)


def test_ase_reads_the_file_with_its_cell(tmp_path):
    atoms = bulk("Al", cubic=True)
    kept = run(atoms, tmp_path, duration_ps=0.4)
    frames = ase.io.read(next((tmp_path / "kept").iterdir()), index=":")
    assert np.allclose(frames[0].cell.array, atoms.cell.array, atol=1e-5)
    assert np.allclose(frames[-1].positions, kept.positions[-1], atol=1e-4)


def test_the_rotation_of_a_crystal_is_not_examined():
    atoms = bulk("Al", cubic=True)
    atoms.rattle(0.05, seed=1)
    found = examine(made(atoms), EMT(), atoms, key={**KEY, "structure": 0})
    assert found.failure is None
    assert found.rotation_error is found.net_torque is None
    assert found.net_force < 1e-9
    assert abs(found.loop_work) < 1e-4 * found.loop_absolute
    assert found.jacobian_antisymmetric < 1e-3 * found.jacobian_symmetric
