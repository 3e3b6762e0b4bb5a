"""The protocols: one folder for each. A folder with a ``plan.py`` is a protocol; nothing else names it.

=============  =========================================================  ================================
file           what                                                       may import
=============  =========================================================  ================================
``record.py``  its records                                                the contract
``plan.py``    ``PROTOCOL``: its items, its time, its options             the contract
``measure.py`` ``Measurer``: from an item to its record, in the           the contract, ``bench.measure``,
               method's environment                                       numpy, ASE
``read.py``    ``read``: what the analysis needs from a run's files       everything that reads files
``analyse.py`` ``SUMMARY``: from records to figures, pure functions       ``bench.analysis``
``view.py``    ``VIEW``: from figures to tables, sentences and pictures   ``bench.render``
=============  =========================================================  ================================

``read.py``, ``analyse.py`` and ``view.py`` may be missing. Other modules of a folder belong to one of these.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

from bench.core.failure import Failure
from bench.core.protocol import REGISTERED, Part, Protocol
from bench.core.records import Record
from bench.core.task import Item, Task


def module(name: str, part: str) -> ModuleType | None:
    """Return a module of a protocol, such as ``view``; None where its folder has none."""
    full = f"{__name__}.{name}.{part}"
    return importlib.import_module(full) if importlib.util.find_spec(full) is not None else None


def _found() -> list[Protocol]:
    folders = [one.name for one in pkgutil.iter_modules(__path__) if one.ispkg]
    plans = [found for folder in folders if (found := module(folder, "plan")) is not None]
    return sorted((plan.PROTOCOL for plan in plans), key=lambda protocol: (protocol.order, protocol.name))


REGISTERED.update((protocol.name, protocol) for protocol in _found())
PROTOCOLS: dict[str, Protocol] = REGISTERED
PARTS: dict[str, Part] = {part.name: part for protocol in PROTOCOLS.values() for part in protocol.parts}
PHASES: tuple[str, ...] = tuple(dict.fromkeys(protocol.phase for protocol in PROTOCOLS.values()))
"""In the order of a worker."""
PROTOCOL_OF: dict[str, str] = {part.name: protocol.name for protocol in PROTOCOLS.values() for part in protocol.parts}
"""The protocol of each part."""
_PART_OF: dict[type[Record], Part] = {part.record: part for part in PARTS.values()}


def lost(task: Task, item: Item, failure: Failure) -> Record:
    """Return the record of an item that could not be measured, with the cause: a dead worker or an exception."""
    return PARTS[item.part].lost(task, item.number, failure)


def item_of(record: Record) -> Item | None:
    """Return the item whose result a record is; None for a record of another kind."""
    part = _PART_OF.get(type(record))
    return None if part is None else Item(part.name, getattr(record, part.number))


def protocol_of(record: Record) -> Protocol | None:
    """Return the protocol of a record; None for a record of another kind."""
    part = _PART_OF.get(type(record))
    return None if part is None else PROTOCOLS[PROTOCOL_OF[part.name]]


def phase_of(part: str) -> str:
    """Return the phase in which items of a part are measured."""
    return PROTOCOLS[PROTOCOL_OF[part]].phase


def phases(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phases of some protocols, in order."""
    wanted = {PROTOCOLS[name].phase for name in protocols}
    return tuple(phase for phase in PHASES if phase in wanted)
