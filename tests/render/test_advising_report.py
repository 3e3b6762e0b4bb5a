"""The advice in words: three sentences, a table that fits, and what would fit into a time."""

import dataclasses
import json

import pytest

from bench.analysis.choice import Advised, Choice
from bench.analysis.plans import Wish, plan
from bench.analysis.statistics import Estimate
from bench.render.advising import Report, duration, render, sentences


def about(value):
    return Estimate(value, value / 1.5, value * 1.5, 1, "structures")


FAST = Advised(
    "gfn2-xtb",
    "GFN2-xTB (tblite)",
    "semi-empirical",
    about(0.3),
    about(3.0),
    90 * 2**20,
    170.0,
    steps_measured=True,
    to_trusted_mev_per_angstrom=190.0,
    rmsd_to_trusted=0.05,
)
BEST = Advised(
    "ani-1ccx", "ANI-1ccx", "mlip", about(2.6), about(16.0), 320 * 2**20, 190.0, steps_measured=True, start_s=5.0
)
FAR = Advised("7net-0", "SevenNet-0 (11Jul2024)", "mlip", about(9.0), about(80.0), 2**30, 400.0, warnings=("odd",))
OUT = [Advised(f"mlip-{i}", "X", excluded="no trained weights here") for i in range(12)]
WISH = Wish("relax", 1, None, threads=1, cores=2, speed=1.8, free_bytes=8 * 2**30)


def report(wish=WISH, fastest=FAST, trusted=BEST, measured=(FAST, BEST, FAR), **changes):
    choice = Choice((*measured, *OUT), fastest, trusted, tuple(one.method for one in (fastest, trusted) if one))
    plans = {one.method: found for one in measured if (found := plan(one, wish)) is not None}
    fields = {"title": [("Task", wish.task)], "run": "r", "theories": {"ani-1ccx": "CCSD(T)"}} | changes
    return Report(choice=choice, wish=wish, plans=plans, **fields)


@pytest.mark.parametrize("task", ["relax", "md", "screen"])
@pytest.mark.parametrize("within", [None, 3600.0, 1.0])
@pytest.mark.parametrize("fastest", [FAST, BEST, None])
@pytest.mark.parametrize("trusted", [BEST, dataclasses.replace(BEST, disagreement_mev_per_angstrom=None), None])
def test_the_advice_is_always_three_sentences(task, within, fastest, trusted):
    wish = dataclasses.replace(WISH, task=task, within_s=within, molecules=10_000 if task == "screen" else 1)
    found = sentences(report(wish, fastest, trusted))
    assert len(found) == 3
    for one in found:
        assert one.endswith(".")
        assert ". " not in one.replace("(11Jul2024). ", "")


@pytest.mark.parametrize(
    ("task", "kept", "hidden"),
    [("relax", "relaxation", "1 ns of md, memory, RMSD"), ("md", "1 ns of md", "relaxation, memory, RMSD")],
)
def test_in_a_narrow_terminal_methods_keep_their_names_and_hidden_columns_are_named(task, kept, hidden):
    text = render(report(dataclasses.replace(WISH, task=task)), "terminal", width=46)
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if "───" in line)
    assert lines[rule - 1].split("  ")[0] == "method"
    assert kept in lines[rule - 1]
    assert any(line.startswith("ANI-1ccx ") for line in lines[rule:])
    assert f"3 columns hidden: {hidden};" in " ".join(text.split())


def test_it_says_by_how_much_processes_differ_and_from_what():
    assumed = " ".join(render(report(), "terminal", width=80).split())
    assert "taken to differ by 10 %, because no earlier run of this machine shows by how much" in assumed
    known = render(report(earlier_runs=2, process_sds=(0.04, 0.068)), "terminal", width=80)
    assert "taken to differ by 4 to 7 %, from 2 earlier runs of this machine" in " ".join(known.split())


def test_the_report_fits_into_eighty_columns_and_groups_what_was_left_out():
    text = render(report(), "terminal", width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("no trained weights here") == 1
    assert "0.05" in text
    assert "~9.0 s [6.0, 14]" in text  # its steps are guessed
    assert "* odd: SevenNet-0 (11Jul2024)." in text


def test_a_screen_that_does_not_fit_says_what_would():
    wish = dataclasses.replace(WISH, task="screen", molecules=100_000, within_s=3600.0)
    found = report(wish)
    first = sentences(found)[0]
    assert "100,000 relaxations take 4.6 h" in first
    assert "in 2 processes of 1 thread, the start included: this does not fit into 1 h" in first
    text = " ".join(render(found, "terminal", width=200).split())
    assert "GFN2-xTB (tblite) relaxes about 21,600 of the 100,000 molecules; all of them would need about" in text


def test_what_would_fit_is_not_said_to_disagree_where_it_agrees_and_a_single_molecule_is_not_divided():
    slow = dataclasses.replace(BEST, seconds_per_relaxation=about(7200.0))
    odd = dataclasses.replace(FAST, warnings=("odd",))
    wish = dataclasses.replace(WISH, within_s=60.0)
    found = report(wish, fastest=slow, trusted=slow, measured=(odd, slow, FAR))
    found = dataclasses.replace(found, choice=dataclasses.replace(found.choice, agreeing=(odd.method, slow.method)))
    text = " ".join(render(found, "terminal", width=200).split())
    assert "In 1 min ANI-1ccx relaxes no molecule, however many cores there are." in text
    assert "These would fit: GFN2-xTB (tblite). These would fit, but do not agree: SevenNet-0 (11Jul2024)." in text


def test_md_says_how_much_of_it_fits():
    assert "330 ps fit into 1 h" in sentences(report(dataclasses.replace(WISH, task="md", within_s=3600.0)))[0]


def test_what_to_check_is_the_most_doubtful():
    unlike = dataclasses.replace(FAST, order_like_trusted=0.2)
    assert "different orders (Kendall's tau 0.20)" in sentences(report(fastest=unlike, measured=(unlike, BEST)))[2]
    elsewhere = dataclasses.replace(FAST, rmsd_to_trusted=0.4)
    assert "ends 0.40 Å (RMSD)" in sentences(report(fastest=BEST, measured=(elsewhere, BEST)))[2]
    apart = dataclasses.replace(BEST, disagreement_mev_per_angstrom=500.0)
    assert "Check the forces against DFT" in sentences(report(trusted=apart))[2]


def test_the_first_sentence_says_agrees_only_where_there_is_another_method_to_agree_with():
    assert sentences(report())[0].startswith("The fastest that agrees is GFN2-xTB (tblite): 300 ms")
    assert sentences(report(fastest=BEST))[0].startswith("No faster method agrees with ANI-1ccx, the most trusted: 2.6")
    first = sentences(report(fastest=BEST, measured=(BEST, FAR)))[0]
    assert first.startswith("The fastest is ANI-1ccx, which is also the most trusted: 2.6 s")
    alone = dataclasses.replace(BEST, disagreement_mev_per_angstrom=None)
    found = sentences(report(fastest=alone, trusted=alone, measured=(alone,)))
    assert found[0].startswith("The only method that was measured is ANI-1ccx: 2.6 s")


def test_one_that_relaxed_nothing_is_the_fastest_by_a_force_call():
    cut = dataclasses.replace(FAST, seconds_per_relaxation=None)
    assert "5.4 ms [3.6, 8.1] a force call, and none relaxed it" in sentences(report(fastest=cut))[0]


def test_the_json_has_the_promised_fields():
    found = json.loads(render(report(script="print(1)\n"), "json"))
    assert found["methods"][0].keys() >= {
        *("method", "seconds_per_relaxation", "hours_per_ns", "peak_memory_bytes"),
        *("disagreement_mev_per_angstrom", "excluded"),
    }
    assert found["methods"][0]["seconds_per_relaxation"] == {
        "estimate": 0.3,
        "low": pytest.approx(0.2),
        "high": pytest.approx(0.45),
    }
    assert found["methods"][-1]["excluded"] == "no trained weights here"
    assert found["methods"][-1]["hours_per_ns"] is None
    assert found["advice"]["fastest"] == "gfn2-xtb"
    assert found["advice"]["trusted"] == "ani-1ccx"
    assert found["advice"]["script"] == "print(1)\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "12 ms [8.2, 18]"), (5.0, "5.0 s [3.3, 7.5]"), (7200.0, "2.0 h [1.3, 3.0]")]
)
def test_a_time_is_in_the_unit_that_suits_it(seconds, text):
    assert duration(about(seconds)) == text
