"""Measures a plan, and shows what came out: what ``run`` and ``study`` have in common."""

from __future__ import annotations

import math
import sys

from bench import paths
from bench.commands import _results
from bench.commands._planning import Planned


def measure(
    plan: Planned, resumed: bool, form: str = "terminal", relative_to: str | None = None, page: bool = True
) -> int:
    """Run or resume a campaign, print its table in a format and write its page; returns the exit status.

    Times are divided by those of the method `relative_to`; None: the fastest MLIP. Without `page` there is no page. The
    status is 1 if nothing could be measured, and 130 if the user stopped it.
    """
    from bench.engine.display import progress
    from bench.engine.plan import longest_seconds
    from bench.engine.runner import Campaign
    from bench.environments.knobs import choose
    from bench.render import numbers
    from bench.results import kept, store
    from bench.results.widths import half_widths

    settings = plan.settings
    choose(plan.catalogue, settings)
    with progress(settings) as display:
        campaign = Campaign(
            plan.directory,
            settings,
            plan.catalogue,
            plan.dataset,
            display,
            plan.parallel,
            widths=lambda: half_widths(plan.directory),
        )
        campaign.resume() if resumed else campaign.begin()
        store.start(plan.directory)
        if plan.name:
            kept.rename(plan.directory, plan.name)
        at_most = longest_seconds(settings, plan.catalogue.methods)
        display.say(
            f"run {plan.directory.name}: {numbers.of(len(settings.methods), 'method')}, {plan.dataset.name}, "
            + numbers.of(settings.threads, "thread")
            + (f"; at most about {_duration(at_most)}, starts included" if at_most else "")
        )
        stopped = False
        try:
            campaign.run()
        except KeyboardInterrupt:
            stopped = True
        else:
            store.finish(plan.directory)
    status = _results.finish(plan.directory, form, relative_to, page)
    if stopped:
        print(f"pesbench: stopped; continue with: {paths.resume_command(plan.directory)}", file=sys.stderr)
        return 130
    return status


def _duration(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``4 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{math.ceil(seconds / 10) * 10} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
