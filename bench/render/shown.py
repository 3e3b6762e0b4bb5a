"""The view of each protocol, by its name."""

from __future__ import annotations

from bench import protocols
from bench.protocols import PROTOCOLS
from bench.render.view import View

SHOWN: dict[str, View] = {
    name: found.VIEW for name in PROTOCOLS if (found := protocols.module(name, "view")) is not None
}
