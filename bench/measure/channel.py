"""How a worker talks to the campaign that started it: it sends messages and, if several take turns, gets its turns."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from time import perf_counter_ns

from bench.core import message
from bench.core.message import Beat, Message, Result, Waits
from bench.core.records import Record
from bench.core.turn import Turn
from bench.measure.waiting import Waiting

BEAT_NS = 1_000_000_000


class Channel:
    """Sends messages through the pipe that the worker was started with."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)  # the output of a library must not mix with the messages
        sys.stdout = sys.stderr
        self._last_beat = 0

    def send(self, record: Record) -> None:
        """Send one record, to be kept."""
        self.say(Result(record))

    def beat(self, number: int, steps: int) -> None:
        """Give a sign of life of a structure or a trajectory, at most once a second."""
        now = perf_counter_ns()
        if now - self._last_beat > BEAT_NS:
            self._last_beat = now
            self.say(Beat(number, steps))

    def say(self, what: Message) -> None:
        """Send one message."""
        data = message.to_json(what).encode() + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]


class Pace:
    """Lets several workers take turns: after each turn of its own, a worker says so and blocks until the next one.

    A turn is some force calls, or some seconds. Attributes: `slept_ns`, what it has spent waiting for its turns, and
    `waiting`, which does not count meanwhile.
    """

    def __init__(self, channel: Channel, wake: Callable[[], None]) -> None:
        self.channel = channel
        self.wake = wake
        self.waiting = Waiting()
        self.turn: Turn | None = None
        self.calls = 0
        self.began = 0
        self.slept_ns = 0
        self.ended = False
        """Whether there is nothing more to measure."""
        self._asleep = True

    @property
    def by_calls(self) -> bool:
        """Whether its turns are force calls, not seconds."""
        return self.turn is not None and self.turn.calls is not None

    def may_begin(self) -> bool:
        """Return whether a next item may begin, when it may; False when there is nothing more to measure."""
        turn = self.turn
        over = turn is None or (self._used_s() >= turn.seconds if turn.calls is None else self.calls >= turn.calls)
        return not self.ended and (not over or self._wait(within=False))

    def may_go_on(self) -> bool:
        """Return whether the item may go on with a step or a force call, when it may; False: it is cut off."""
        turn = self.turn
        if turn is None or (turn.calls is not None and self.calls >= turn.calls):
            return self._next_call()
        if turn.calls is not None:
            self.calls += 1
            return True
        return not self.ended and (self._used_s() < turn.most_seconds or self._wait(within=True))

    @contextlib.contextmanager
    def uncounted(self) -> Iterator[None]:
        """Do something that no budget counts."""
        before = perf_counter_ns()
        try:
            yield
        finally:
            self.began += perf_counter_ns() - before

    def _next_call(self) -> bool:
        if self.ended or not self._wait(within=True):
            return False
        self.calls += 1
        return True

    def _used_s(self) -> float:
        return (perf_counter_ns() - self.began) / 1e9

    def _wait(self, within: bool) -> bool:
        """Block until the next turn; returns False where there is none."""
        before = perf_counter_ns()
        self.waiting.stop()
        self.channel.say(Waits(within, 0.0 if self.turn is None else self._used_s()))
        self.turn = Turn.from_line(sys.stdin.readline())
        self.ended = self.turn is None
        if self._asleep and not self.ended:  # this worker's caches went cold while others started
            self._asleep = False
            self.wake()
        self.calls = 0
        self.began = perf_counter_ns()
        self.slept_ns += self.began - before
        self.waiting.start()
        return not self.ended
