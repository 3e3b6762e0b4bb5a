"""The notes below a table: what a reader must know before trusting its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bench.analysis.table import Row, Table
from bench.core.description import DataSetFacts
from bench.core.protocol import REPLAY
from bench.core.records import AS_ASKED
from bench.render.beside_paper import judged_claims, order, published
from bench.render.certainty import apart, intervals, limited, nodes, rounds
from bench.render.circumstances import damaged, disturbed, disturbed_in_short, doubts, elsewhere, revisited, unsettled
from bench.render.heading import some
from bench.render.joules import joules
from bench.render.lines import marked

REPLAY_MARK = "ʳ"
"""Marks the time of a force call alone in a column of times per step."""
DOES_NOT_KNOW = "does not know "
RANDOM = "Random weights: the speed is right, the energies mean nothing."


def notes(table: Table) -> tuple[str, ...]:
    """Return the notes of a table, each one or two sentences."""
    return tuple(text for text, _ in _found(table))


def urgent(table: Table) -> tuple[str, ...]:
    """Return the notes without which a reader would take the numbers for something else; a terminal shows these."""
    labels = {row.method: row.label for row in table.rows}
    random = RANDOM if any(row.weights == "random" and row.time is not None for row in table.rows) else ""
    calls = f"{REPLAY_MARK} marks the time of a force call alone." if marked(table) else ""
    found = [text for text, at_once in _found(table) if at_once]
    kinds = " ".join(filter(None, (random, calls)))
    return tuple(filter(None, (disturbed_in_short(table.disturbances, labels), kinds, *found)))


def _found(table: Table) -> list[tuple[str, bool]]:
    """Return each note, and whether it is urgent."""
    if table.is_paper:
        return [(note, True) for note in (*published(table.published), judged_claims(table)) if note]
    rows = [row for row in table.rows if row.time is not None]
    settings = table.description.settings
    found = (
        (_data_set(table.description.dataset), True),
        *((note, True) for note in table.description.dataset.notes),
        (_left_out(table.rows), True),
        (damaged(table.damaged), True),
        (_at_the_start(table.rows), True),
        (_at_a_minimum(table.rows), True),
        (intervals(rows), False),
        (limited(rows), True),
        (apart(rows), False),
        (rounds(rows), False),
        (nodes(rows), False),
        (disturbed(table.disturbances, {row.method: row.label for row in rows}), False),
        (revisited(table.revisits), True),
        (unsettled(row.label for row in rows if row.settled is False), True),
        (_weights(rows), False),
        (_replay(rows, settings.replay_points), False),
        (_marked(table), False),
        (_random(rows), False),
        (_trusted(rows), False),
        (_brought(rows), True),
        *((doubt, True) for doubt in doubts(rows)),
        (_changed(rows), True),
        (_unfinished(rows), False),
        (_optimizers(rows, settings.optimizer), False),
        (_unlike("Threads", rows, "threads"), False),
        (_surplus_threads(rows), True),
        (_unlike("Precision", rows, "dtype"), False),
        (_tuned(rows), False),
        (_not_compiled(rows), True),
        (_what_ran(rows), False),
        (_outliers(rows), False),
        (_geometries(rows), False),
        *((said, False) for said in joules(rows, table.description.machine.energy)),
        *((remark, False) for remark in _remarks(rows)),
        *((said, False) for said in published(table.published)),
        (judged_claims(table), False),
        (order(table.rank_correlation), False),
    )
    return [(note, at_once) for note, at_once in found if note]


def _at_the_start(rows: Iterable[Row]) -> str:
    """Return which methods had nothing to relax."""
    still = [row for row in rows if row.time is None and row.converged and not row.relaxation.steps_measured]
    if not still:
        return ""
    return f"{_labels(still)}: converged at the start, so there is no time of a step; a smaller --fmax makes some."


def _at_a_minimum(rows: Iterable[Row]) -> str:
    """Return which systems count in no time, because nothing was to be relaxed there."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for row in rows:
        if row.time is not None and row.at_minimum:
            found.setdefault(row.at_minimum, {})[row.label] = None
    each = [f"{', '.join(labels)} at {some(names, 6)}" for names, labels in found.items()]
    return (
        f"Converged before the first step: {'; '.join(each)}. There is no time of a step there, so ms/step and the "
        "column 'systems' are without them."
        if each
        else ""
    )


def _left_out(rows: Iterable[Row]) -> str:
    """Return which systems methods cannot take, and why; nothing about those that can take none, which are failures."""
    found: dict[tuple[tuple[str, ...], str], dict[str, None]] = {}
    for row in rows:
        if row.left_out and row.time is not None:
            found.setdefault((tuple(row.left_out), _together(row.left_out.values())), {})[row.label] = None
    each = [f"{', '.join(labels)} ({why}): not {some(names, 6)}" for (names, why), labels in found.items()]
    return f"Systems left out: {'; '.join(each)}." if each else ""


def _together(reasons: Iterable[str]) -> str:
    """Return reasons as one: ``does not know Cl, F; takes no charge``."""
    unknown: dict[str, None] = {}
    others: dict[str, None] = {}
    for reason in reasons:
        if reason.startswith(DOES_NOT_KNOW):
            unknown |= dict.fromkeys(reason.removeprefix(DOES_NOT_KNOW).split(", "))
        else:
            others[reason] = None
    elements = [DOES_NOT_KNOW + ", ".join(sorted(unknown))] if unknown else []
    return "; ".join([*elements, *others])


def _data_set(dataset: DataSetFacts) -> str:
    if not dataset.fallback:
        return ""
    return (
        f"The structures are the embedded {dataset.name}, because those of MD17 were not "
        "available; the times are only roughly comparable with MD17's."
    )


def _surplus_threads(rows: Iterable[Row]) -> str:
    found = {
        row.label: f"{row.threads_found} instead of {row.threads}"
        for row in rows
        if row.threads is not None and row.threads_found is not None and row.threads_found > row.threads
    }
    named = ", ".join(f"{label} ({counts})" for label, counts in found.items())
    return f"More threads in a pool than requested: {named}." if found else ""


def _tuned(rows: Iterable[Row]) -> str:
    found = {row.label: ", ".join(row.tuned) for row in rows if row.tuned}
    named = "; ".join(f"{label}: {flags}" for label, flags in found.items())
    return f"Tuned rows, with their flags: {named}." if found else ""


_WHAT_RAN = ("head", "task", "modal", "backend", "kernel", "engine", "compiled", "charge", "spin", "uncertainty")
"""The adapter settings that change a time or an energy, and that upstream may choose by itself."""


def _what_ran(rows: Iterable[Row]) -> str:
    found = {}
    for row in rows:
        said = [
            name if value is True else f"{name} {'off' if value is False else value}"
            for name, value in row.settings.items()
            if name in _WHAT_RAN and value is not None
        ]
        if row.kind == "mlip" and said:
            found[row.label] = ", ".join(said)
    named = "; ".join(f"{label}: {text}" for label, text in found.items())
    return f"What ran, as reported by the workers: {named}." if found else ""


def _not_compiled(rows: Iterable[Row]) -> str:
    found: dict[str, list[str]] = {}
    for row in rows:
        compiled, _, why = str(row.settings.get("compiled", "")).partition(": ")
        if compiled == "off" and why:
            found.setdefault(why, []).append(row.label)
    named = "; ".join(f"{', '.join(dict.fromkeys(labels))}: {why}" for why, labels in found.items())
    return f"Measured uncompiled, although the settings ask for compilation: {named}." if found else ""


def _weights(rows: Iterable[Row]) -> str:
    pretrained = _labels(row for row in rows if row.kind == "mlip" and row.weights == "pretrained")
    return f"Weights: pretrained for {pretrained}." if pretrained else ""


def _replay(rows: Sequence[Row], points: int | None) -> str:
    if not any(row.protocol == REPLAY for row in rows):
        return ""
    path = f"the same {points} geometries" if points else "the same geometries"
    where = f"for every method over {path} on the way from each structure to the reference molecule"
    stepped = dict.fromkeys(row.optimizer for row in rows if row.protocol == REPLAY and not row.of_calls)
    if not stepped:
        return (
            f"Replay: the time of a force call, {where}. A step of BFGS makes one such call, so it is compared with "
            "the paper's step."
        )
    return (
        f"Replay: the time of a step, {where}. After each force call, {' or '.join(filter(None, stepped))} does its "
        "whole update; its displacement is discarded, and the path goes on."
    )


def _marked(table: Table) -> str:
    """Return which times are of force calls alone, and why."""
    found = marked(table)
    if not found:
        return ""
    return (
        f"{REPLAY_MARK} marks the time of a force call alone: {_labels(found)}. Conjugate gradients and native "
        "optimisers cannot follow a fixed path, and older runs timed only its force calls."
    )


def _random(rows: Iterable[Row]) -> str:
    random = _labels(row for row in rows if row.weights == "random")
    if not random:
        return ""
    return (
        f"Random weights, for speed only: {random}. The energies of such a model mean nothing, so it is only "
        "replayed, and no mean over relaxations includes it."
    )


def _trusted(rows: Iterable[Row]) -> str:
    files = {
        row.label: f"{row.checkpoint.get('file')}, SHA-256 {str(row.checkpoint.get('sha256'))[:12]}"
        for row in rows
        if row.checkpoint and row.checkpoint.get("known_by") == "user"
    }
    if not files:
        return ""
    named = "; ".join(f"{label} ({file})" for label, file in files.items())
    return f"Checkpoints without a published checksum, taken as the user gave them: {named}."


def _brought(rows: Iterable[Row]) -> str:
    found = {row.label: row.brought for row in rows if row.brought}
    if not found:
        return ""
    different: dict[str, list[str]] = {}
    for label, differences in found.items():
        if differences != AS_ASKED:
            different.setdefault(differences, []).append(label)
    named = [
        differences if len(labels) == len(found) else f"{differences} ({', '.join(labels)})"
        for differences, labels in different.items()
    ]
    versions = f"other versions than the header asks for: {'; '.join(named)}" if named else AS_ASKED
    return f"Using packages from a user-supplied Python: {', '.join(found)}; {versions}."


def _changed(rows: Iterable[Row]) -> str:
    found = {row.label: ", ".join(row.answers) for row in rows if row.answers}
    if not found:
        return ""
    named = "; ".join(f"{label}: {words}" for label, words in found.items())
    return f"Answers that differ from the baseline, so the times are of something else: {named}."


def _unfinished(rows: list[Row]) -> str:
    short = [row for row in rows if row.total and row.done is not None and row.done < row.total]
    if not short:
        return ""
    return (
        f"n of {short[0].total}: where n is smaller, the other structures failed or were not reached within the "
        "method's time budget; those that were timed still count."
    )


def _optimizers(rows: list[Row], usual: str | None) -> str:
    other = {row.label: row.optimizer for row in rows if row.optimizer and row.optimizer != usual}
    if not usual or not other:
        return ""
    names = (f"{label} ({'its own' if name == 'native' else name})" for label, name in other.items())
    return f"Optimiser other than {usual}: {', '.join(names)}."


def _unlike(what: str, rows: list[Row], field: str) -> str:
    values = {row.label: getattr(row, field) for row in rows if getattr(row, field) is not None}
    if len(set(values.values())) < 2:
        return ""
    usual = Counter(values.values()).most_common(1)[0][0]
    others = (f"{label} ({value})" for label, value in values.items() if value != usual)
    return f"{what}: {usual}, but {', '.join(others)}."


def _outliers(rows: list[Row]) -> str:
    flagged = [
        f"{row.outliers} of {row.time.n} for {row.label}{elsewhere(row.device)}{_in_replay(row)}"
        for row in rows
        if row.outliers and row.time
    ]
    return f"Structures with an outlying time, kept in the mean: {', '.join(flagged)}." if flagged else ""


def _geometries(rows: list[Row]) -> str:
    far = [f"{row.relaxation.rmsd_outliers} for {row.label}" for row in rows if row.relaxation.rmsd_outliers]
    if not far:
        return ""
    return (
        "Converged geometries more than 0.1 Å (RMSD) from the method's own median geometry: "
        + ", ".join(dict.fromkeys(far))
        + "."
    )


def _remarks(rows: list[Row]) -> list[str]:
    remarks = {row.method: f"{row.label}: {row.note}" for row in rows if row.note}
    return list(remarks.values())


def _in_replay(row: Row) -> str:
    return " in replay" if row.protocol == REPLAY and row.weights != "random" else ""


def _labels(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.label for row in rows))
