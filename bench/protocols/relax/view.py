"""How the times of relaxations are shown: in the table of times."""

from bench.render.times_view import TIMES as VIEW

__all__ = ["VIEW"]
