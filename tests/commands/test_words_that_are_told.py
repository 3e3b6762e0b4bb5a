"""What is told can be typed: with the program as it was started, and with whole paths."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from bench.engine.cluster import _install
from bench.paths import PROJECT

STARTED = f"""#!{sys.executable}
import sys

sys.path.insert(0, {str(PROJECT)!r})
from bench.cli import main

sys.exit(main())
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Return a folder with a program .venv/bin/pesbench that is not on PATH."""
    folder = tmp_path_factory.mktemp("elsewhere")
    program = folder / ".venv" / "bin" / "pesbench"
    program.parent.mkdir(parents=True)
    program.write_text(STARTED)
    program.chmod(0o755)
    return folder


def said(folder, *words):
    done = subprocess.run([".venv/bin/pesbench", *words], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [("table", "nowhere"), ("table", "--help"), ("run", "--nonsense"), ("run", "--methods", "nonsense")]
)
def test_a_program_that_is_not_on_path_is_told_by_its_path(elsewhere, words):
    text = said(elsewhere, *words)
    assert ".venv/bin/pesbench " in text
    assert not re.search(r"'pesbench |^  pesbench ", text, re.MULTILINE)


def test_the_command_for_missing_labels_names_the_whole_path_and_is_understood(pesbench, tmp_path):
    from bench.cli import parse

    (tmp_path / "odd name").mkdir()
    own = tmp_path / "odd name" / "h2.xyz"
    own.write_text("2\n\nH 0 0 0\nH 0 0 0.8\n")
    done = pesbench(
        *("run", "--adapter", PROJECT / "tests/fakes/fakes.py", "--methods", "toy", "--protocols", "accuracy"),
        *("--structures", "odd name/h2.xyz", "--rounds", "1", "--threads", "1", "--output", tmp_path / "runs"),
        cwd=tmp_path,
        PESBENCH_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    shown = pesbench("table", tmp_path / "runs", "--protocols", "accuracy", "--format", "markdown").stdout
    (command,) = re.findall(r"'pesbench (reference .*?)' makes", shown)
    _, options = parse(shlex.split(command))
    assert options.structures == (str(own),)
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "campaign.json").read_text())["dataset"]["given"] == ["--structures", str(own)]


def test_a_package_is_installed_from_its_own_name_and_not_as_an_extra_of_ours():
    assert shlex.split(_install("parsl>=2024.11"))[-1] == "parsl>=2024.11"
    assert "pesbench[" not in _install("parsl>=2024.11")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("tabel",), "there is no verb 'tabel'; did you mean table"),
        (("run", "--methods", "uff", "gfn2-xtb"), "commas and no blanks: --methods uff,gfn2-xtb"),
        (("run", "--methods", "uff,", "gfn2-xtb", "7net-0"), "--methods uff,gfn2-xtb,7net-0"),
        (("run", "--methods", "maec"), "did you mean 'mace-"),
        (("script", "uff", "--plain", "relx"), "--plain does not take 'relx'; did you mean relax?"),
        (("table", "--by", "zzz"), "--by does not take 'zzz'; it takes system, optimizer."),
        (("run", "--budgt", "5"), "run has no option --budgt; did you mean --budget?"),
        (("run", "--zzz"), "run has no option --zzz; see '"),
        (("table", "a", "b"), "table does not take 'b'; see '"),
        (("doctor", "uff"), "doctor does not take 'uff'; see '"),
        ((), "name a verb, such as '"),
        (("script",), "script needs METHOD; see '"),
        (("regress", "--methods", "uff"), "regress needs one of --base, --base-env, --base-with; see '"),
        (("runs", "foo"), "runs does not take 'foo'; it takes list, name, tag, delete."),
        (("run", "--seed", "1.5"), "--seed takes a whole number, not '1.5'."),
        (("table", "--format", "jason"), "there is no format 'jason'; use terminal, markdown, latex, csv or json."),
    ],
)
def test_a_slip_is_answered_with_what_may_have_been_meant(pesbench, words, hint):
    done = pesbench(*words)
    assert done.returncode == 2
    assert hint in done.stderr
    assert len(done.stderr.splitlines()) == 1
