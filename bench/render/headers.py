"""What the headers of all other tables mean, and the labels around a table, for ``pesbench explain``."""

from __future__ import annotations

from collections.abc import Mapping

from bench.core.failure import FAILURES

HEADERS: Mapping[str, str] = {
    # engines and timelines
    "engine": "Other code that computes the same checkpoint, such as symmetrix for a model of MACE.",
    "system": "The structure, or the cluster of so many atoms, that a row is about.",
    "times as fast": "The time of a force call with the method itself over that with an engine, taken in turn, with "
    "its 95 % interval over rounds of fresh processes.",
    "forces, meV/Å": "The largest difference of a force component from the method itself.",
    "energy, meV/atom": "The largest difference of the energy from the method itself, for each atom.",
    "driver, ms/step": "What a step of dynamics takes beside its force call, by the engine's own integrator or by "
    "ASE's.",
    "Release": "A release of the package by which a method is computed.",
    "time / newest": "The time of a force call with this release over one with the newest, taken in turn.",
    "next / this": "The time of a force call with the next release over one with this release; above 1, the next one "
    "is slower.",
    "due to": "The package, where the time changes by 5 % or more and no other package of the environment does.",
    "answers": "Whether energies and forces are those of the newest release: same, or CHANGED.",
    "unclear": "Other packages changed with this one, so the change may be due to any of them.",
    "other answers": "One of two releases computes something else with the checkpoint, so their times are not of the "
    "same work.",
    # stability
    "stable NVE": "How long a molecule at constant energy keeps its bonds, in picoseconds: the median over seeds.",
    "stable NVT": "The same with a thermostat.",
    "largest stretch": "The largest deviation of a bond from its mean length in the reference, in Angstrom.",
    "pass": "Of md: nothing was found against the method. As a column, the number of systems with this verdict.",
    "warn": "Of md: near a limit, or too short to pass. As a column, the number of systems with this verdict.",
    "fail": "Of md: a bond broke, or a limit was passed. As a column, the number of systems with this verdict.",
    "over std(KE)": "The drift over the standard deviation of the kinetic energy.",
    "noise": "How much the total energy scatters about its line at constant energy, in meV per atom.",
    "power of dt": "The power of the time step with which that noise grows: 2 for smooth forces.",
    "T internal": "The temperature of the internal motions at constant energy, beside its target.",
    "rigid share": "The share of the kinetic energy that has gone into translation and rotation of the whole molecule.",
    "frames": "The frames of trajectories from which distances are taken.",
    "from": "The ensemble of these frames.",
    "h(r)": "How much the distribution of distances differs from that of the reference, with its noise floor.",
    "planarity": "How far the atoms lie from their common plane, root mean square, in Angstrom.",
    "asymmetry": "The antisymmetric over the symmetric part of the forces' derivatives: 0 for forces of an energy.",
    "loop work": "The work of the forces around a closed way over its absolute value: 0 for forces of an energy.",
    "rotation error": "How much the forces of a rotated molecule differ from the rotated forces, as a fraction.",
    "net force": "The sum of all forces, which should be 0, in eV/Angstrom.",
    "net torque": "The sum of all torques, which should be 0, in eV.",
    "structures": "The structures whose forces were examined.",
    "hours per ns": "Hours that a nanosecond of dynamics takes on this machine.",
    "ns/day": "Nanoseconds of dynamics that this machine simulates in a day.",
    "NVE": "Dynamics at constant energy; as a column, the picoseconds that were simulated.",
    "NVT": "Dynamics with a thermostat; as a column, the picoseconds that were simulated.",
    # accuracy
    "against": "The reference level with which the method is compared.",
    "spread of theories": "How the error compares with the differences between good levels of theory.",
    "n": "The number of structures that are compared.",
    "made for": "The level of theory of the method, or of its training data.",
    "force RMSE": "The root mean square error of a force component, in meV/Angstrom.",
    "cosine": "The mean cosine of the angle between the forces and those of the reference: 1 for the same direction.",
    "energy MAE": "The mean absolute error of energies without their common shift, in meV.",
    "rank corr.": "The rank correlation: of energies with those of the reference, or of the method's own uncertainty "
    "with its error. 1 is the same order.",
    "error / uncertainty": "The error over the uncertainty that the method itself reports: 1 where that is right.",
    "C-C, mÅ": "The mean absolute error of the C-C bonds against experiment, in thousandths of an Angstrom.",
    "below 2000": "The root mean square error of wavenumbers below 2000 per cm.",
    "above 2000": "The root mean square error of wavenumbers above 2000 per cm: the stretches of X-H bonds.",
    "scaled, from experiment": "The error against measured fundamentals, after the level's scale factor.",
    "imag.": "The number of imaginary wavenumbers: 0 at a minimum.",
    "mixed": "How many normal modes cannot be matched one to one with those of the reference.",
    "Hessian": "The seconds that the Hessian takes.",
    "force calls": "The number of force calls, each an energy and all forces.",
    "residue": "The largest wavenumber of translation and rotation before these are taken out: 0 for an exact Hessian.",
    "ZPE": "The zero-point energy of the harmonic vibrations, in meV.",
    # growth, many molecules
    "floor": "The time of a force call that does not depend on the number of atoms, in ms.",
    "exponent": "The power p of the number of atoms with which the time grows.",
    "per atom": "The time that each further atom takes, in microseconds.",
    "twice floor": "The number of atoms at which a force call takes twice the floor.",
    "size": "The number of atoms, of molecules in a batch, or of processes.",
    "predicted": "The time of the largest size by the law that the smaller sizes give.",
    "measured": "The time that was measured there.",
    "inside": "Whether the measured time lies in the interval of the predicted one.",
    "largest": "The largest size that was reached.",
    "ended by": "What ended the series: time, memory, a failure, or its end.",
    "device memory": "The largest memory allocated on the device.",
    "edges": "Pairs of neighbours in the model's graph for each atom, each counted twice.",
    "singly": "Molecules a second, or an hour, one after another.",
    "in batches": "Molecules a second, several in one call.",
    "in processes": "Molecules a second, in several processes at once.",
    "at best": "Molecules an hour, in the way that relaxes most at each system: singly, in batches or in processes.",
    "calls per molecule": "Force calls for each relaxed molecule.",
    "best": "The size with the most molecules a second.",
    "gain": "Molecules a second over those of single calls.",
    "half of it": "The size of a batch at which half of the gain is reached.",
    "differs by": "The largest difference between the answers of a batch and of single calls.",
    # tune, compare, history, overhead
    "setting": "What is changed against the default settings.",
    "time/default": "The time of a force call over that with the default settings, measured in the same sessions.",
    "pays after": "The number of force calls after which a slower start has paid off.",
    "verdict": "Faster, slower, or undecided: the interval of the ratio is compared with the threshold.",
    "old ms": "The time in the old run or version, in ms.",
    "new ms": "The time in the new run or version, in ms.",
    "new/old": "The time of the new over that of the old one, paired, with its interval.",
    "last step": "The last lasting change of the speed, and the run in which it came.",
    "bookkeeping": "The part of the added time that pesbench spends between two steps; it is in no figure.",
    # around a table
    "random weights": "The checkpoint was not available: architecture and speed are right, the energies mean nothing.",
    "incomplete": "The run was stopped before its end, or is still measured; run --resume continues it.",
    "no results": "Nothing was measured in the run, or everything failed.",
    "ʳ": "The time is that of a force call alone, not that of a step.",
    "0 steps": "Every structure met the criterion before the first step, so there is no time of a step.",
    "Run": "The id of the run, its name, when it began, and which pesbench measured it.",
    "Machine": "The processor, the memory and the system on which the run was measured.",
    "Nodes": "The machines of a merged run, with the number of rounds of each.",
    "Threads": "The threads of each method; in brackets how much several do at once on this machine.",
    "Data set": "The structures that were measured, with the beginning of their SHA-256.",
    "Not used": "What the structure files hold besides, and what was not used.",
    "Protocol": "What was done with each structure, in how many rounds, and in which time.",
    "Failures": "Which methods could not be measured, or not at all structures, and why.",
    "How many times faster": "The ratio of geometric means of groups of methods, over the structures that all have.",
    "rule": "When a difference counts: it is larger than the threshold, and its interval does not contain 1.",
}
"""By the title with its unit where the title alone is half a name."""

WORDS: Mapping[str, str] = {**{kind: f"A failure: {text}." for kind, text in FAILURES.items()}, **HEADERS}


def titles(title: str, unit: str = "") -> list[str]:
    """Return the names by which a header may be known: with its unit, alone, and the unit alone."""
    return [f"{title} {unit}".strip(), title, unit]
