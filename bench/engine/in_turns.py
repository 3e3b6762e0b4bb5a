"""The structures of a round: the workers of all methods are alive at once and take turns.

What a machine does for seconds to minutes then hits all methods alike, so it drops out of their ratios. A turn is a
quarter of a method's time in the round and ends with a structure; a long structure pauses between two steps. Meanwhile
the other workers sleep: they wait for a line of their standard input.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence

from bench.core.failure import Failure
from bench.core.message import Beat, Begins, CannotWrite, Message, Phase, Result
from bench.core.protocol import Key
from bench.core.records import NotMeasured, Record, Started
from bench.core.task import Item
from bench.core.turn import Turn
from bench.engine import tasks
from bench.engine.metering import MeteredWorker
from bench.engine.one_round import CRASHES_A_ROUND, Round, Shared
from bench.engine.paced import PacedWorker, passes
from bench.engine.plan import answers_of, timeout
from bench.engine.turns import start_paced
from bench.protocols import item_of, lost
from bench.results import store

TURNS = 4
"""Of each method in a round: so all of them see the whole round, whatever their time in it."""
LEAST_TURN_SECONDS = 0.3
LONGEST_TURN_SECONDS = 3.0
"""A structure that takes longer pauses."""
OUT_OF_MEMORY = "out-of-memory"


class Seat:
    """A method on a device that takes part in a round, and its worker."""

    def __init__(self, this: Round) -> None:
        self.this = this
        self.worker: PacedWorker | None = None
        self.metered: MeteredWorker | None = None
        self.ready = False
        """Whether its worker has announced itself."""
        self.begun: Item | None = None
        """The item that its worker said it begins, where it is not the next one."""
        self.crashes = 0
        self.used_s = 0.0
        """What it measured in this round."""
        self.counted = 0
        """Its items that have a record from this round."""
        self.started_s: float | None = None
        """What its worker took to start."""
        self.squeezed = False
        """Whether it failed for want of memory while others were alive; it gets a round without them."""

    @property
    def key(self) -> Key:
        """Its key in the ledger."""
        return self.this.key

    @property
    def goes_on(self) -> bool:
        """Whether it has something left to measure."""
        return self.worker is not None

    def turn(self) -> Turn | None:
        """Return its next turn; None where its time in this round is up."""
        assert self.worker is not None
        begin, end = (
            math.inf if limit is None else limit - self.used_s
            for limit in (self.this.allowance.begin_s, self.this.allowance.end_s)
        )
        if (end if self.worker.within else begin) <= 0 and self.used_s > 0:
            return None
        share = self.this.allowance.begin_s
        usual = LEAST_TURN_SECONDS if share is None else max(LEAST_TURN_SECONDS, share / TURNS)
        return Turn(
            seconds=min(usual, max(begin, 0.0)), most_seconds=min(max(usual, LONGEST_TURN_SECONDS), max(end, 0.0))
        )


class InTurns:
    """Measures the structures of rounds."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.indices = shared.dataset.order[: shared.settings.limit]

    def round(self, seats: Sequence[Seat], warm: Callable[[], None]) -> None:
        """Measure a round of these seats; `warm` is called when all have started, before the first turn."""
        self.alone = len(seats) == 1
        with contextlib.ExitStack() as running:
            for seat in seats:  # one after the other, because starts disturb each other
                began = time.monotonic()
                self._start(running, seat)
                if seat.goes_on:
                    seat.started_s = time.monotonic() - began
            warm()
            for order in passes(seats):
                going = [seat for seat in order if seat.goes_on]
                if not going:
                    break
                for seat in going:
                    self._take_turn(running, seat)

    def _start(self, running: contextlib.ExitStack, seat: Seat) -> None:
        """Start a worker for what is left of a seat's items, and wait until it is warm."""
        this = seat.this
        task = tasks.measure(
            this.prepared,
            self.shared.settings,
            self.shared.dataset,
            this.items,
            this.number,
            answers=answers_of(
                this.prepared.method.kind,
                this.prepared.left_out.kept(self.indices),
                this.number,
            ),
            paced=True,
            revisits=self.shared.settings.repeats,
        )
        silence = timeout(self.shared.settings, this.prepared.method.kind)
        process = start_paced(
            running, task, this.prepared, self.shared.settings, self.shared.parallel, silence, self.shared.directory
        )
        seat.metered = MeteredWorker(self.shared.metering, this.record_key)
        running.callback(seat.metered.close)
        seat.worker = PacedWorker(process, lambda said: self._take(seat, said))
        seat.ready, seat.begun = False, None
        seat.worker.listen()
        self._go_on(running, seat)

    def _take_turn(self, running: contextlib.ExitStack, seat: Seat) -> None:
        """Let a seat have its turn; it ends the worker whose time is up."""
        worker, turn = seat.worker, seat.turn()
        assert worker is not None and seat.metered is not None
        seat.metered.resumes()
        measured, began = worker.seconds, time.monotonic()
        worker.take_turn(turn) if turn is not None else worker.finish()
        # a worker that has ended says nothing of its last turn
        seat.used_s += time.monotonic() - began if worker.ended else worker.seconds - measured
        if worker.within and not worker.ended:
            seat.metered.pauses(self._in_flight(seat))
        self._go_on(running, seat)

    def _go_on(self, running: contextlib.ExitStack, seat: Seat) -> None:
        """Take leave of a worker that has ended, and start another one after a crash."""
        worker = seat.worker
        assert worker is not None
        if not worker.ended:
            return
        failure = worker.failure()
        over_its_limit = worker.process.over_limit
        seat.worker = None
        if seat.metered is not None:
            seat.metered.close()
        worker.process.stop()
        if failure is None or not seat.this.items:
            return
        if failure.kind == OUT_OF_MEMORY and not over_its_limit and not self.alone:
            seat.squeezed = True
        elif not seat.ready:
            self._give_up(seat, failure)
        else:
            self._crashed(running, seat, failure)

    def _crashed(self, running: contextlib.ExitStack, seat: Seat, failure: Failure) -> None:
        """Record the item that a worker died of, and start another worker, unless this one died of it, too."""
        seat.crashes += 1
        in_flight = self._in_flight(seat)
        if in_flight in seat.this.items:  # otherwise it was measured again, and has its record from before
            this = seat.this
            task = tasks.measure(this.prepared, self.shared.settings, self.shared.dataset, [], this.number)
            this.items.remove(in_flight)
            self._keep(seat, lost(task, in_flight, failure))
        if not seat.this.items:
            return
        if seat.crashes == CRASHES_A_ROUND:
            self._give_up(seat, Failure(failure.kind, f"{failure.message} (given up after {seat.crashes} crashes)"))
            return
        self._start(running, seat)

    def _in_flight(self, seat: Seat) -> Item:
        """Return what a seat's worker measures; it says so where that is not the next one."""
        return seat.begun or seat.this.items[0]

    def _give_up(self, seat: Seat, failure: Failure) -> None:
        record = NotMeasured(**seat.this.record_key, failure=failure)
        self.shared.append(record)
        self.shared.stop(record)
        seat.this.items.clear()

    def _take(self, seat: Seat, said: Message) -> None:
        """Take a message of a seat's worker."""
        assert seat.metered is not None
        match said:
            case Beat(number, steps):
                self.shared.progress.alive(seat.key, number, steps)
            case CannotWrite(why):
                raise store.cannot_write(self.shared.directory, why)
            case Begins(part, number):
                seat.begun = Item(part, number)
            case Phase():
                seat.metered.begins()
            case Result(NotMeasured() as record):
                if record.failure.kind == OUT_OF_MEMORY and not self.alone:
                    seat.squeezed = True
                else:
                    self.shared.append(record)
                    self.shared.stop(record)
                seat.this.items.clear()
            case Result(record):
                seat.metered.reported(record)
                seat.ready = seat.ready or isinstance(record, Started)
                item = item_of(record)
                if item is None:
                    self.shared.append(record)
                    return
                seat.begun = None
                if item in seat.this.items:
                    seat.this.items.remove(item)
                self._keep(seat, record)

    def _keep(self, seat: Seat, record: Record) -> None:
        self.shared.append(record)
        self.shared.ledger.book(record)
        self.shared.progress.measured(record)
        seat.counted += 1
