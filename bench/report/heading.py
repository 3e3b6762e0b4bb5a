"""The head of a table: what was measured where, in a few labelled lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.analysis.table import RELAX, REPLAY
from bench.report import numbers


def heading(head: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the labelled lines of the head; what the campaign did not record is left out."""
    found = [
        ("Run", _run(head)),
        ("Machine", _machine(head.get("machine", {}))),
        ("Threads", _threads(head.get("settings", {}), head.get("machine", {}).get("parallel_speed"))),
        ("Data set", _data_set(head.get("dataset", {}))),
        ("Protocol", _protocol(head.get("settings", {}))),
    ]
    return [(label, text) for label, text in found if text]


def _run(head: Mapping[str, Any]) -> str:
    if head.get("source") == "paper":
        return str(head["title"])
    commit = head.get("commit")
    parts = [
        head.get("run_id"),
        str(head.get("created", "")).replace("T", " ")[:16].strip(),
        f"pesbench {head['pesbench']}" if head.get("pesbench") else None,
        f"commit {str(commit)[:12]}{', changed since' if head.get('dirty') else ''}" if commit else None,
    ]
    return " · ".join(part for part in parts if part)


def _machine(machine: Mapping[str, Any]) -> str:
    cores, logical = machine.get("cores"), machine.get("logical_cores")
    memory = machine.get("memory_bytes")
    python = machine.get("python")
    gpus = machine.get("gpus")
    parts = [
        machine.get("cpu"),
        f"{cores} cores" + (f" ({logical} logical)" if logical and logical != cores else "") if cores else None,
        numbers.size(memory) if memory else None,
        ", ".join(gpus) if gpus else "no GPU",
        machine.get("os"),
        f"Python {python}" if python else None,
    ]
    return " · ".join(part for part in parts if part)


def _threads(settings: Mapping[str, Any], parallel: Mapping[str, Any] | None) -> str:
    threads = settings.get("threads")
    if threads is None:
        return ""
    if not parallel or parallel.get("speed") is None:
        return str(threads)
    return f"{threads} ({parallel['threads']} threads at once did {parallel['speed']:.2f} times the work of one here)"


def _data_set(dataset: Mapping[str, Any]) -> str:
    if not dataset:
        return ""
    count, total = dataset.get("count"), dataset.get("total")
    amount = f"{count} of {total}" if total and total != count else f"{count}"
    text = f"{dataset.get('name')}: {amount} structures"
    if dataset.get("formula"):
        text += f" of {dataset['formula']}"
    if dataset.get("digest"):
        text += f" (SHA-256 {str(dataset['digest']).removeprefix('sha256:')[:12]})"
    return f"{text}; {dataset['description']}" if dataset.get("description") else text


def _protocol(settings: Mapping[str, Any]) -> str:
    rounds, points = settings.get("rounds"), settings.get("replay_points")
    protocols = settings.get("protocols") or [RELAX]
    relax = [
        f"relax with {settings['optimizer']}" if settings.get("optimizer") else "relax",
        f"fmax {settings['fmax']:g} eV/Å" if settings.get("fmax") else None,
        f"at most {settings['max_steps']} steps" if settings.get("max_steps") else None,
    ]
    replay = f"replay of {points} point{'s' if points != 1 else ''} from each structure" if points else "replay"
    parts = [
        *(relax if RELAX in protocols else []),
        replay if REPLAY in protocols else None,
        _dynamics(settings["md"]) if "md" in protocols and settings.get("md") else None,
        f"{rounds} round{'s' if rounds != 1 else ''}" if rounds else None,
        _budget(settings.get("budget_s") or {}),
    ]
    return " · ".join(part for part in parts if part)


def _dynamics(md: Mapping[str, Any]) -> str:
    lengths = {"nve": md["duration_ps"], "nvt": md["nvt_duration_ps"]}
    each = " and ".join(f"{lengths[name]:g} ps {name.upper()}" for name in md["ensembles"])
    seeds = md["seeds"]
    return (
        f"dynamics of {each}, {md['time_step_fs']:g} fs a step, {md['temperature_k']:g} K over all 3N velocities, "
        f"{seeds} seed{'s' if seeds != 1 else ''}"
    )


def _budget(budgets: Mapping[str, float | None]) -> str | None:
    """Return how much time the methods had, each or, where they differ, from least to most."""
    limits = sorted({budget for budget in budgets.values() if budget is not None})
    if not limits:
        return None
    return f"{limits[0]:g} s a method" if len(limits) == 1 else f"{limits[0]:g} to {limits[-1]:g} s a method"
