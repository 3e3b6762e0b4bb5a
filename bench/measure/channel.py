"""How a worker talks to the campaign that started it: it sends messages and, if two workers alternate, gets turns."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from time import perf_counter_ns

from bench.contract import message
from bench.contract.message import Beat, Message, Result, Waits
from bench.contract.records import Record

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
    """Lets two workers take turns: after each turn of a given number of force calls, it asks for the next and waits."""

    def __init__(self, channel: Channel, wake: Callable[[], None]) -> None:
        self.channel = channel
        self.wake = wake
        self.asleep = True
        self.left = 0
        self.ended = False

    def may_go_on(self) -> bool:
        """Wait for this worker's turn; returns False when there is nothing more to measure."""
        if self.left == 0:
            self.channel.say(Waits())
            self.left = int(sys.stdin.readline() or 0)
            if self.left == 0:
                self.ended = True
                return False
            if self.asleep:  # this worker's caches went cold while the other one started
                self.asleep = False
                self.wake()
        self.left -= 1
        return True
