"""A timeline: releases in order, compared through one that is not the newest any more, and kept whole."""

import json
import math

import pytest

from bench.analysis.statistics import Estimate
from bench.analysis.timelines import Other, Release, Step, Timeline, differing, steps
from bench.environments.header import read_header
from bench.environments.releases import before, pinned
from bench.errors import BadInput
from bench.paths import adapters_dir
from bench.render import timeline as render
from bench.results.timelines import path_of, read, write

KEPT = Timeline(
    "m",
    "Method",
    "package",
    (
        Release("1.0", "1.3", 2.0, 1.9, 2.1, answers=()),
        Release("1.1", "1.3", why="it does not install"),
        Release("1.2", "1.3", 1.0, 0.98, 1.02, answers=("energy differs",)),
        Release("1.3", "1.4", 0.8, 0.79, 0.81, answers=(), others=(Other("torch", "2.6", "2.9"),)),
    ),
    pins=("numpy==2.4.6",),
)


def test_each_release_is_compared_with_the_newest_through_the_one_it_was_measured_with():
    found = {one.release.version: one for one in steps(KEPT, "1.4")}
    assert found["1.0"].ratio.estimate == pytest.approx(1.6)
    assert found["1.2"].ratio.estimate == pytest.approx(0.8)
    # widths of independent comparisons add
    assert found["1.2"].ratio.high / found["1.2"].ratio.estimate > 1.02
    assert found["1.1"].ratio is None
    assert found["1.0"].change is None, "the next one could not be measured"
    assert found["1.3"].change.estimate == pytest.approx(1.25)
    assert found["1.3"].changed
    assert not found["1.2"].changed, "as fast as the next one"


def test_what_two_releases_have_in_common_on_their_ways_to_the_newest_does_not_widen_their_ratio():
    releases = (
        Release("1.0", "1.2", 1.10, 1.08, 1.12, answers=()),
        Release("1.1", "1.2", 1.00, 0.99, 1.01, answers=()),
        # measured on another day, and less well
        Release("1.2", "1.3", 0.90, 0.80, 1.01, answers=()),
    )
    found = {one.release.version: one for one in steps(Timeline("m", "M", "p", releases), "1.3")}
    assert found["1.0"].change.estimate == pytest.approx(1 / 1.1)
    assert found["1.0"].changed, "both were measured beside 1.2"
    change = found["1.1"].change
    assert (change.low, change.high) == pytest.approx((1 / 1.01, 1.01), rel=1e-3), "1.1 was measured beside 1.2 itself"
    assert found["1.1"].ratio.high / found["1.1"].ratio.estimate > 1.1, "but 1.3 was not"


def test_a_change_is_told_only_where_it_is_certain_and_large():
    def changed(estimate, low, high):
        (one,) = steps(Timeline("m", "M", "p", (Release("1", "2", estimate, low, high),)), "2")
        return one.changed

    assert changed(1.2, 1.1, 1.3)
    assert changed(0.9, 0.88, 0.92)
    assert not changed(1.2, 0.9, 1.6)
    assert not changed(1.03, 1.02, 1.04)


def test_a_change_is_due_to_the_package_where_its_neighbour_has_the_same_libraries():
    torch = (Other("torch", "2.6", "2.9"),)
    releases = (
        Release("1.0", "1.3", 2.0, 1.9, 2.1, answers=(), others=torch),
        Release("1.1", "1.3", 1.6, 1.5, 1.7, answers=(), others=torch),
        Release("1.2", "1.3", 1.2, 1.1, 1.3, answers=()),
    )
    found = {one.release.version: one for one in steps(Timeline("m", "M", "package", releases), "1.3")}
    assert found["1.0"].others == ()
    assert found["1.0"].attributable is True, "both have the old torch"
    assert found["1.1"].others == torch
    assert found["1.1"].attributable is False
    assert found["1.2"].attributable is True
    text = " ".join(render.text(Timeline("m", "M", "package", releases), "1.3").split())
    assert "1.1 1.60 [1.50, 1.70] 0.75 [0.68, 0.83] unclear" in text
    assert "on the way to 1.2 other packages change, too: torch 2.6, then 2.9. So the change need not be due to" in text
    assert "'pesbench timeline m --package package --pin torch==2.9' compares these releases with torch 2.9" in text
    assert "'pesbench timeline m --package torch' compares releases of torch" in text
    same = (Release("1.2", "1.3", 1.0, 0.99, 1.01, others=torch),)
    (one,) = steps(Timeline("m", "M", "package", same), "1.3")
    assert one.attributable is None, "nothing changed"


def test_a_release_that_computes_something_else_is_not_said_to_be_faster():
    releases = (
        Release("1.0", "1.2", 0.5, 0.49, 0.51, answers=()),
        Release("1.1", "1.2", 0.64, 0.61, 0.68, answers=("forces by up to 5.8 eV/Å",)),
    )
    found = {one.release.version: one for one in steps(Timeline("m", "M", "package", releases), "1.2")}
    assert [one.attributable for one in found.values()] == [False, False]
    text = " ".join(render.text(Timeline("m", "M", "package", releases), "1.2").split())
    assert "1.1 0.64 [0.61, 0.68] 1.56 [1.48, 1.65] other answers CHANGED" in text
    assert [one["due_to"] for one in render.as_object(Timeline("m", "M", "package", releases), "1.2")["releases"]] == [
        None,
        None,
    ]


def test_answers_are_known_through_a_release_that_is_not_the_newest_any_more():
    releases = (
        Release("1.0", "1.2", 2.0, 1.9, 2.1, answers=()),
        Release("1.1", "1.3", 1.0, 0.98, 1.02, answers=()),
        Release("1.2", "1.3", 0.8, 0.79, 0.81, answers=("forces by up to 5.8 eV/Å",)),
    )
    timeline = Timeline("m", "M", "package", releases)
    found = {one.release.version: one for one in steps(timeline, "1.3")}
    assert [one.same_answers for one in found.values()] == [False, True, False], "1.0 computes what 1.2 does"
    assert found["1.0"].attributable is False, "1.1 computes what 1.3 does, and 1.0 does not"
    text = " ".join(render.text(timeline, "1.3").split())
    assert "1.0 1.60 [1.52, 1.68] 0.62 [0.59, 0.66] other answers CHANGED" in text
    white = [one.get_markerfacecolor() == "white" for one in render.draw(timeline, "1.3").axes[0].lines]
    assert white.count(True) == 2
    assert [one["same_answers"] for one in render.as_object(timeline, "1.3")["releases"]] == [False, True, False]


def test_two_releases_with_the_answers_of_a_third_one_do_the_same_work_whatever_the_newest_computes():
    releases = (
        Release("1.0", "1.2", 2.0, 1.9, 2.1, answers=()),
        Release("1.1", "1.2", 1.0, 0.98, 1.02, answers=()),
        Release("1.2", "1.3", 0.8, 0.79, 0.81, answers=("forces by up to 5.8 eV/Å",)),
    )
    found = {one.release.version: one for one in steps(Timeline("m", "M", "package", releases), "1.3")}
    assert found["1.0"].attributable is True
    assert [one.other_answers for one in found.values()] == [False, False, True]


def test_a_change_between_releases_whose_answers_nobody_could_compare_is_unclear():
    timeline = Timeline("m", "M", "package", (Release("1.0", "1.1", 2.0, 1.9, 2.1),))
    (one,) = steps(timeline, "1.1")
    assert one.attributable is False
    assert "1.0 2.00 [1.90, 2.10] 0.50 [0.48, 0.53] unclear" in " ".join(render.text(timeline, "1.1").split())


@pytest.mark.parametrize(
    ("other", "ways"),
    [
        ({"machine": "B"}, "A; B"),
        ({"machine": "A", "work": "water, 1 thread"}, "naphthalene, 1 thread; water, 1 thread"),
    ],
    ids=["machine", "work"],
)
def test_a_change_between_releases_of_two_machines_or_of_other_work_is_unclear(other, ways):
    """On A all releases are alike; on B 1.1 takes 1.3 times as long, which is no change from 1.0 to 1.1."""
    releases = (
        Release("1.0", "1.2", 1.0, 0.98, 1.02, answers=(), machine="A", work="naphthalene, 1 thread"),
        Release("1.1", "1.2", 1.3, 1.28, 1.32, answers=(), **({"work": "naphthalene, 1 thread"} | other)),
    )
    timeline = Timeline("m", "M", "package", releases)
    first, second = steps(timeline, "1.2")
    assert (first.changed, first.attributable) == (True, False)
    assert second.attributable is True, "1.1 and 1.2 took turns on one machine"
    text = " ".join(render.text(timeline, "1.2", width=200).split())
    assert "1.0 1.00 [0.98, 1.02] 1.30 [1.27, 1.33] unclear same" in text
    assert f"it and 1.1 were not measured alike ({ways})" in text
    assert [one["due_to"] for one in render.as_object(timeline, "1.2")["releases"]] == [None, "package"]


def test_a_release_of_which_nobody_kept_the_work_is_no_reason_for_doubt():
    releases = (
        Release("1.0", "1.2", 1.0, 0.98, 1.02, answers=(), machine="A"),
        Release("1.1", "1.2", 1.3, 1.28, 1.32, answers=(), machine="A", work="naphthalene, 1 thread"),
    )
    first, _ = steps(Timeline("m", "M", "package", releases), "1.2")
    assert (first.changed, first.attributable, first.conditions) == (True, True, ())


def test_two_releases_beside_one_that_is_not_kept_any_more_are_compared_with_each_other_alone():
    releases = (Release("1.0", "1.2", 2.0, 1.9, 2.1, answers=()), Release("1.1", "1.2", 1.0, 0.98, 1.02, answers=()))
    first, second = steps(Timeline("m", "M", "package", releases), "1.3")
    assert first.change.estimate == pytest.approx(0.5)
    assert (first.ratio, second.ratio, second.change, first.same_answers) == (None, None, None, None)


def test_libraries_are_known_through_a_release_that_is_not_the_newest_any_more():
    releases = (
        Release("1.0", "1.2", 2.0, 1.9, 2.1, others=(Other("numpy", "1.26", "2.4"),)),
        Release("1.1", "1.2", 1.5, 1.4, 1.6),
        Release("1.2", "1.3", 0.8, 0.79, 0.81, others=(Other("torch", "2.6", "2.9"),)),
    )
    found = {one.release.version: one for one in steps(Timeline("m", "M", "package", releases), "1.3")}
    assert found["1.0"].others == (Other("numpy", "1.26", "2.4"),)
    assert found["1.1"].others == ()
    assert found["1.2"].others == (Other("torch", "2.6", "2.9"),)


def test_what_is_released_with_a_package_is_part_of_it_and_a_like_name_is_not():
    old = {"torch": "2.6", "triton": "3.2", "mace_torch": "0.3.15", "nvidia-cublas-cu12": "12.4"}
    new = {"torch": "2.9", "triton": "3.5", "mace-torch": "0.3.16"}
    assert differing(old, new, "torch") == (Other("mace-torch", "0.3.15", "0.3.16"),)
    assert [one.name for one in differing(old, new, "mace-torch")] == ["nvidia-cublas-cu12", "torch", "triton"]


def test_it_is_kept_whole_and_a_damaged_file_is_named(tmp_path):
    path = path_of("m", "package", tmp_path)
    assert path != path_of("m", "package", tmp_path, ("torch==2.6",)), "another library is another timeline"
    assert read(path) is None
    write(path, KEPT)
    assert read(path) == KEPT
    path.write_text(path.read_text()[:50])
    with pytest.raises(BadInput, match="is no timeline"):
        read(path)


def test_the_table_says_why_a_release_is_missing_and_the_figure_has_every_release():
    text = render.text(KEPT, "1.4", width=80)
    assert "1.1" in text and "it does not install" in text
    assert "CHANGED" in text
    assert "With     numpy==2.4.6" in text
    assert "on the way to 1.4 other packages change, too: torch 2.6, then 2.9" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    found = render.as_object(KEPT, "1.4")
    assert [one["version"] for one in found["releases"]] == ["1.0", "1.1", "1.2", "1.3"]
    json.dumps(found)
    (axes,) = render.draw(KEPT, "1.4").axes
    assert [one.get_text() for one in axes.get_xticklabels()] == ["1.0", "1.1", "1.2", "1.3", "1.4"]
    marks = [one for one in axes.lines if one.get_marker() == "o"]
    changed = [one.answers for one in KEPT.releases if one.estimate is not None]
    assert [one.get_markerfacecolor() == "white" for one in marks] == [*map(bool, changed), False]
    assert [one.get_text() for one in axes.get_legend().get_texts()] == ["other answers"]


def test_the_package_is_the_one_that_the_family_is_about_or_the_one_that_is_named():
    header = read_header(adapters_dir() / "sevennet.py")
    assert pinned(header)[0] == "sevenn"
    assert pinned(read_header(adapters_dir() / "pyscf_dft.py"))[0] == "pyscf", "ase and numpy are pinned before it"
    assert pinned(read_header(adapters_dir() / "nwchem_dft.py"))[0] == "ase", "it pins nothing else"
    assert pinned(header, "Torch") == pinned(header, "torch")
    with pytest.raises(BadInput, match="does not pin jax; it pins sevenn, torch"):
        pinned(header, "jax")


@pytest.mark.environment
def test_releases_before_one_come_from_the_index_newest_first():
    header = read_header(adapters_dir() / "xtb.py")
    assert before(header, "tblite", "0.5.0", 2) == ["0.4.0", "0.3.0"]
    assert before(header, "tblite", "0.0.1", 2) == []


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ((1.0501, 1.0, 1.1), False),  # it may be 1
        ((1.0501, 1.0001, 1.1), True),
        ((1.0499, 1.04, 1.06), False),  # certain and small
        ((1 / 1.0501, 0.9, 1.0), False),
        ((1 / 1.0501, 0.9, 0.9999), True),
        ((1 / 1.0499, 0.94, 0.96), False),
        ((2.0, None, None), False),
    ],
)
def test_a_change_of_five_percent_either_way_counts_where_it_cannot_be_none(change, changed):
    step = Step(Release("1.0", "1.1"), None, Estimate(*change, 1, "rounds"))
    assert (step.changed, step.attributable) == (changed, True if changed else None)


def test_errors_add_as_squares_on_the_way_to_the_newest_and_a_gap_ends_it():
    def release(version, against, estimate, half):
        return Release(version, against, estimate, estimate * math.exp(-half), estimate * math.exp(half))

    chain = (release("1", "2", 1.2, 0.03), release("2", "3", 1.5, 0.04))
    oldest, later = steps(Timeline("a", "A", "a", chain), "3")
    found = [oldest.ratio.estimate, oldest.ratio.low, oldest.ratio.high]
    assert found == pytest.approx([1.8, 1.8 * math.exp(-0.05), 1.8 * math.exp(0.05)])
    assert oldest.change.low == pytest.approx(math.exp(-0.03) / 1.2)
    assert later.change.high == pytest.approx(math.exp(0.04) / 1.5)
    gap = (chain[0], Release("2", "3"))
    oldest, later = steps(Timeline("a", "A", "a", gap), "3")
    assert (oldest.ratio, later.ratio, later.change) == (None, None, None)
    assert oldest.change.estimate == pytest.approx(1 / 1.2)  # measured with each other
