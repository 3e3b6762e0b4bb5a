"""The conformance kit's report."""

from bench.core.message import Check
from bench.render.conform import render

CHECKS = [
    Check("settings are plain JSON", True, "9 entries"),
    Check("a shift changes nothing", True, "3e-15 eV, 2e-14 eV/Å", "0.0001 eV, 0.0001 eV/Å"),
    Check("forces are minus the energy's derivative", False, "0.1 of 1.2 eV/Å", "0.002 eV/Å", "return all of it " * 9),
    Check("the number of parameters is the published one", None, "the header has no published count"),
]


def test_each_check_is_a_line_with_figure_and_tolerance():
    lines = render(CHECKS, 200).splitlines()
    assert lines[0] == "ok       settings are plain JSON: 9 entries"
    assert lines[1] == "ok       a shift changes nothing: 3e-15 eV, 2e-14 eV/Å (0.0001 eV, 0.0001 eV/Å)"
    assert lines[2] == "FAIL     forces are minus the energy's derivative: 0.1 of 1.2 eV/Å (0.002 eV/Å)"
    assert lines[3].startswith("skipped  the number of parameters is the published one: the header")


def test_what_to_fix_stands_below():
    text = render(CHECKS)
    assert "2 ok, 1 failed, 1 skipped" in text
    below = text.split("What to fix:")[1]
    assert below.strip().startswith("- forces are minus the energy's derivative: return all of it")
    assert "What to fix" not in render(CHECKS[:2])


def test_it_fits_80_columns_and_blames_nobody_for_long_lines():
    text = render(CHECKS)
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[2].startswith("FAIL     ")
    assert not any(line.endswith(" ") for line in text.splitlines())
