"""The verb ``reference``: computes labels at a level of theory, for ``--protocols accuracy`` to compare with."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands import _declared, _options
from bench.commands._declared import REQUIRED, option
from bench.core.device import CPU
from bench.core.records import FAILED
from bench.core.settings import Settings
from bench.core.task import Item
from bench.errors import BadInput
from bench.protocols.accuracy.plan import ACCURACY, SINGLE_POINT, VIBRATIONS

if TYPE_CHECKING:
    from bench.data.references import Labels, Minimum
    from bench.data.structures import DataSet
    from bench.engine.runner import Campaign
    from bench.environments.catalogue import Catalogue
    from bench.environments.header import Method

HELP = """\
Compute reference labels at a level of theory: energies and forces at each
structure, then the minimum and its Hessian. It takes minutes per structure and
an hour for the Hessian. Stop it, and type the same command again to continue;
only the minimum begins anew. What failed is tried again, too."""
EXAMPLES = (
    "pesbench reference --level pbe0-def2-svp",
    "pesbench reference --level pbe0-def2-tzvp --limit 10 --no-minimum",
)


SILENCE_S = 6 * 3600.0
"""An analytic Hessian gives no sign of life until it is done."""


@dataclasses.dataclass(frozen=True)
class Options(_options.Structures):
    """The options of the verb."""

    level: str = option(REQUIRED, "functional and basis, such as pbe0-def2-svp or pbe-def2-svp", "NAME")
    structures: tuple[str, ...] = _options.structures()
    limit: int | None = _options.limit("only N structures, spread evenly over the set")
    no_minimum: bool = option(False, "energies and forces only, no minimum and Hessian")
    threads: int = _options.threads()
    output: Path | None = option(None, "folder for the labels (default: references in the cache)", "DIR")
    adapter: tuple[Path, ...] = _options.adapter()


def run(options: Options) -> int:
    """Compute what is missing and write the labels; status 130 where the user stopped it, 1 if nothing was computed."""
    from bench.data import references
    from bench.engine import schedule
    from bench.engine.display import progress
    from bench.engine.runner import Campaign
    from bench.environments.catalogue import Catalogue
    from bench.machine.cores import measure_parallel_speed
    from bench.results import labels

    catalogue = Catalogue(options.adapter)
    method = _method(catalogue, options.level)
    settings = Settings(
        methods=(method.name,),
        protocols=(ACCURACY,),
        rounds=1,
        repeats=False,
        vibrations=not options.no_minimum,
        budget_s={method.name: None},
        timeout_s=SILENCE_S,
        **_declared.settings(options, Settings),
    )
    dataset = nearly_relaxed(options.load_one("reference"), method)
    directory = references.own_folder() / "runs" / f"{references.key(dataset.name, dataset.digest)}-{options.level}"
    stopped = False
    with progress(settings) as display:
        campaign = Campaign(directory, settings, catalogue, dataset, display, measure_parallel_speed(settings.threads))
        _begin(campaign, dataset)
        known = references.labels_of(dataset.name, dataset.digest).get(options.level)
        minimum = references.minima_of(dataset.reference).get(options.level)
        campaign.ledger.skip((method.name, CPU), 0, _known(known, minimum))
        planned = schedule.items(settings, "none", campaign.indices, 0)
        missing = campaign.ledger.open((method.name, CPU), 0, planned, again=False)
        try:
            if missing:  # else not even the environment is needed
                campaign.run()
        except KeyboardInterrupt:
            stopped = True
    told = labels.write(
        directory,
        options.level,
        _theory(method),
        dataset.reference,
        options.output or references.own_folder(),
        known,
    )
    print("\n".join(told), end="\n" if told else "")
    if stopped:
        print("pesbench: stopped; the same command continues.", file=sys.stderr)
        return 130
    if not told and not missing:
        print(
            f"nothing is missing: the labels for {options.level} are in {' or '.join(map(str, references.folders()))}"
        )
    elif not told:
        print(f"nothing was computed; {directory / 'logs'} says why")
        return 1
    return 0


def _method(catalogue: Catalogue, level: str) -> Method:
    """Return the method that computes a level; raises BadInput where there is none."""
    levels = {method.level: method for method in catalogue.methods.values() if method.level}
    if level not in levels:
        raise BadInput(f"there is no level of theory {level!r}; use {', '.join(levels)}.")
    method = levels[level]
    if method.theory is None:
        raise BadInput(f"{method.adapter} gives {method.name} a level but no theory; add its functional and basis.")
    return method


def _known(labels: Labels | None, minimum: Minimum | None) -> list[Item]:
    """Return what has labels already, here or with pesbench."""
    points = [Item(SINGLE_POINT, structure) for structure in labels.energies] if labels else []
    return [*points, Item(VIBRATIONS, 0)] if minimum and minimum.hessian is not None else points


def nearly_relaxed(dataset: DataSet, method: Method) -> DataSet:
    """Return the data set with the nearest known minimum of its molecule, from which the relaxation then starts."""
    from bench.data import references
    from bench.protocols.accuracy import levels

    minima = references.minima_of(dataset.reference)
    if not minima or method.theory is None:
        return dataset
    nearest = levels.nearest(_theory(method), {level: one.origin.theory for level, one in minima.items()})
    relaxed = dataset.reference.copy()
    relaxed.positions = minima[nearest].molecule.positions
    (system,) = dataset.systems
    return dataclasses.replace(dataset, systems=(dataclasses.replace(system, reference=relaxed),))


def _theory(method: Method) -> dict[str, str]:
    """Return the theory of a level, which its header must name."""
    assert method.theory is not None
    return {name: getattr(method.theory, name) for name in ("functional", "basis", "dispersion")}


def _begin(campaign: Campaign, dataset: DataSet) -> None:
    """Begin the run of a level, or go on with it; raises BadInput where it was made for other structures."""
    from bench.results import store

    if not (campaign.directory / "campaign.json").exists():
        campaign.begin()
        return
    if store.describe(campaign.directory).dataset.digest != dataset.digest:
        raise BadInput(f"{campaign.directory} holds labels for other structures; delete it.")
    campaign.resume()
    records = store.read(campaign.directory).records
    campaign.ledger.reopen(record for record in records if getattr(record, "status", None) == FAILED)
