"""The checks of the conformance kit on what really runs: is it as requested, and as the header declares?"""

from __future__ import annotations

import os
import re

import numpy as np

from bench.core.device import Device
from bench.core.plain import jsonable
from bench.measure import process
from bench.measure.probe import Finding, Probe, Skip


def the_dtype(probe: Probe) -> Finding:
    """Compare the parameters' dtypes, or the precision of the energies, with the requested dtype."""
    declared = probe.facts["dtype"]
    advice = f"load() gets dtype = {declared!r} and must build the model in it; or change dtypes in the header"
    named = probe.adapter.settings().get("parameter_dtypes")
    if named:
        kinds = [str(name).removeprefix("torch.") for name in ([named] if isinstance(named, str) else named)]
        return Finding(declared in kinds, f"parameters {', '.join(kinds)}", declared, advice)
    if declared != "float64" or len(probe.energies) < 4:
        raise Skip("settings() has no parameter_dtypes")
    finite = [energy for energy in probe.energies if np.isfinite(energy)]
    single = all(float(np.float32(energy)) == energy for energy in finite)
    return Finding(not single, f"energies have {'single' if single else 'double'} precision", declared, advice)


def the_threads(probe: Probe) -> Finding:
    """Check the thread pools once the method has computed."""
    asked = probe.facts["threads"]
    pools = [pool for pool in process.thread_pools() if pool["user_api"] == "openmp"]
    counts = {f"OpenMP ({pool['internal_api']})": pool["num_threads"] for pool in pools}
    told = probe.adapter.settings().get("threads")
    if isinstance(told, int):
        counts["settings()"] = told
    if not counts and hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) <= asked:
        counts["bound to processors"] = len(os.sched_getaffinity(0))
    if not counts:
        raise Skip("threadpoolctl sees no OpenMP, and the process is not bound to processors")
    return Finding(
        max(counts.values()) <= asked,
        ", ".join(f"{count} {name}" for name, count in counts.items()),
        f"at most {asked}",
        "load() gets the number of threads: pass it on (torch.set_num_threads), or set thread-control = 'affinity'",
    )


def the_parameters(probe: Probe) -> Finding:
    """Compare the number of parameters with the published one."""
    published = probe.facts["parameters"]
    if published is None:
        raise Skip("the header has no published count")
    count = probe.adapter.count_parameters()
    # a random model of the same architecture may lack parameters that only training adds; the worker allows it, too
    slack = published // 1000 if probe.facts["weights"] == "random" else 0
    return Finding(
        count is not None and abs(count - published) <= slack,
        "count_parameters() is None" if count is None else f"{count:,}",
        f"{published:,}" + (f" ± {slack:,}" if slack else ""),
        "another checkpoint, or another way to count (buffers, frozen ones); the header has the published count",
    )


def the_device(probe: Probe) -> Finding:
    """Compare the device that the method reports, or the memory it used there, with the requested device."""
    asked = probe.facts["device"]
    device = Device.parse(asked)
    advice = f"load() gets device = {asked!r} and must put the model there"
    named = probe.adapter.settings().get("device")
    if named is not None:
        text = str(named).lower()
        index = re.search(rf"{device.kind.name}:\d+", text)
        other = device.kind.accelerator and index is not None and index[0] != device.exact
        same = device.kind.name in text and not other
        return Finding(same, str(named), asked, advice)
    if device.kind.accelerator:
        peak = probe.adapter.peak_device_memory() or 0
        return Finding(peak > 0, f"at most {peak / 1e6:.0f} MB in use on it", "more than 0", advice)
    if all(os.environ.get(name) == value for name, value in device.variables().items()):
        return Finding(True, "no accelerator is visible to it", asked)
    raise Skip("settings() does not report the device")


def the_settings(probe: Probe) -> Finding:
    """Check that the settings can be recorded, as the worker does: numpy's numbers and sets are converted."""
    settings = probe.adapter.settings()
    advice = "settings() returns a dict of numbers, text, lists and dicts; leave out other objects, or give their names"
    if not isinstance(settings, dict):
        return Finding(False, f"a {type(settings).__name__}", "", advice)
    try:
        jsonable(settings, "settings()")
    except TypeError as error:
        return Finding(False, str(error), "", advice)
    return Finding(True, f"{len(settings)} entries")


def the_stress(probe: Probe) -> Finding:
    """Report whether stress is computed, too. For information: upstream may leave no choice."""
    if not isinstance(probe.results, dict):
        raise Skip("its calculator shows no results")
    told = probe.adapter.settings().get("stress")
    return Finding(True, str(told or ("computed" if "stress" in probe.results else "not computed")), "for information")
