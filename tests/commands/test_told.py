"""Every command line that a person is told is parsed, and one of each kind is run, so that all of them work.

They are collected from the sources (see told.py). What is made up in them, such as the name of a run, is replaced by
what the tables below say, and so are methods that would take long: their commands work alike with a fake. Options at
the end make them short. Lines are of one kind if they have the same verb, options and protocols. Of lines that measure,
as many are run as it takes for each verb to have each of its options, protocols and formats in one of them.
"""

import dataclasses
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from told import PROJECT, VERBS, collected, sources, unquoted

from bench.analysis.timelines import Release, Timeline
from bench.cli import parse
from bench.environments import environments
from bench.environments.catalogue import Catalogue
from bench.environments.header import read_header
from bench.results import timelines

FAKES, TUNABLE = Path("tests", "fakes", "fakes.py"), Path("tests", "fakes", "tunable.py")
RUN, OTHER_RUN = "20261122-101500", "20261123-091200"  # they stand in the examples, too

# what is made up, or has to be filled in, and what stands in its place; with the option before it, where that matters
PLACEHOLDERS = {
    "RUN": RUN,
    "RUN_A": RUN,
    "7net-0@my.pth": "tunable",
    "{other.name}": RUN,
    "{next(iter(protocols))}": "md",
    "RUN_B": OTHER_RUN,
    "METHOD": "toy",
    "FILE": "emt.py",
    "aspirin.xyz": "datasets/naphthalene.xyz",
    "mine.xyz": "datasets/naphthalene.xyz",
    "mine/*.xyz": "datasets/naphthalene.xyz",
    "ions.sdf": "datasets/ions.extxyz",
    "--structures FILE": "datasets/naphthalene.xyz",
    "--protocols NAME": "md",
    "{method.name}": "toy",
    "{plan.directory.name}": RUN,
    "{directory}": RUN,
    "{structures}": "naphthalene-gfn2",
    "{adapter}": "",
    "{protocol}": "md",
    "main": "HEAD",  # a clone need not have the branch
    "my_adapter.py": "emt.py",
    "sevenn==0.12.1": "ase==3.29.0",  # the fakes depend on that
    "--level NAME": "toy",
    "advise FILE": "datasets/naphthalene.xyz",
    "explain NAME": "toy",
    "table FILE": "report",  # report.html
    "{name}": "toy",
    "PARTITION": "p",
    "{directory.name}": RUN,
    "{typed}": RUN,
    "{has}": "accuracy",
    "{self.directory.name}": RUN,
    "{wanted}": "relax,md",
    "{package}": "ase",
    "torch": "ase",  # the fakes pin that
    "torch==2.12.0": "scipy==1.17.1",  # and that
    "0.12.0": "3.28.0",  # the release before
    "{words}": "",
    "{timeline.method}": "toy",
    "{timeline.package}": "ase",
    "--package {one.name}": "ase",
    "{one.name}": "scipy",
    "{one.new}": "1.17.1",
    "--optimizers all": "BFGS,FIRE",  # others need packages of their own
    "--optimizers BFGS": "fire",
    "Mine": "bfgs",
    "{best.method}": "toy",
    "PYTHON": sys.executable,
}
# methods that take long to load, or whose environment or checkpoint may not be here; uff and uff-ase stay themselves
HEAVY = {
    "gfn2-xtb": "toy",
    "7net-0": "toy",
    "so3lr": "toy",
    "ani-1ccx": "toy",
    "pbe0-def2-svp": "toy",
    "pbe0-def2-tzvp": "toy",
    "pbe-def2-tzvpp": "toy",
    "pbe0-def2-tzvpp": "toy",
    "nequix-mp-1": "architecture",
    "mace-mp-0-small": "tunable",
    "orb-d3-xs-v2": "tunable",
    "pet-mad-1.5-s": "architecture",
}
FAKE = {"toy", "architecture"}
WITH_ENGINES = (Path("tests", "fakes", "original.py"), Path("tests", "fakes", "other_engines.py"))
MEASURING = ("advise", "run", "study", "regress", "tune", "engines", "timeline", "check-gpu")
# put at the end of a verb's command line, to make it short
SHORT = {
    "advise": "--budget 2 --threads 1 --beside",
    "check-gpu": "--device cpu --minutes 1",  # there need be no GPU
    "run": "--limit 1 --rounds 1 --budget 2 --threads 1 --no-repeats --structures naphthalene-gfn2",
    "regress": "--budget 2 --limit 1 --structures naphthalene-gfn2",
    "overhead": "--limit 2 --structures naphthalene-gfn2",
    "script": "--structures naphthalene-gfn2",
    "reference": "--limit 1 --structures naphthalene-gfn2",
    "study": "--limit 1 --budget 1",
    "tune": "--budget 3 --limit 2 --structures naphthalene-gfn2 --threads 1,2",
    "engines": "--budget 1 --atoms 18 --engines fast",
    "timeline": "--versions 1 --budget 2 --limit 2 --structures naphthalene-gfn2",
}
# where a command line that names no method would take many or heavy ones
SHORT_METHODS = {
    "advise": "--methods uff-ase",
    "run": "--methods uff",
    "study": "--methods uff",
    "overhead": "--methods toy",
    "prepare": "uff",
    "check-gpu": "toy",
}
# verbs that other tests run whole, with fakes and the same options
RUN_ELSEWHERE = {
    "pack": "engine/test_pack.py",
    "study": "commands/test_study.py",
    "overhead": "engine/test_script.py",
}
# command lines that end with bad input, and why they may
REFUSED = {
    f"runs delete {OTHER_RUN}": "nobody is there to be asked",
    f"merge {RUN} {OTHER_RUN} --output results/merged": "these runs have dynamics",
}


def placeholders(word):
    """Return what has to be filled in: what an f-string has in braces, capitals, and dots."""
    return re.findall(r"\{[^{}]*\}|(?<![\w-])[A-Z][A-Z_]+(?![\w-])|\.\.\.", word)


def filled(line):
    """Return the words of a command line, without its first, with everything filled in; raises LookupError."""
    verb, *words = shlex.split(line)[1:]
    done = []
    for before, word in zip([verb, *words], words, strict=False):
        for name in placeholders(word):
            known = PLACEHOLDERS.get(f"{before} {name}", PLACEHOLDERS.get(name))
            if known is None:
                here = Path(__file__).name
                raise LookupError(
                    f"'{line}' has {name}: say in PLACEHOLDERS of {here} what stands for it when it is run"
                )
            word = word.replace(name, known)
        parts = [HEAVY.get(part, PLACEHOLDERS.get(part, part)) for part in word.split(",")]
        done.append(",".join(dict.fromkeys(parts)))
    return [verb, *done]


def is_a_name(words):
    """Tell whether a verb that needs more stands alone: then it is named, and its help is what there is to run."""
    needs = {"regress", *(name for name, verb in VERBS.items() if _required(verb))}
    return len(words) == 1 and words[0] in needs


def _required(verb):
    return any(field.default is dataclasses.MISSING for field in dataclasses.fields(verb.options))


def short(words):
    """Return a command line that ends soon."""
    verb, *rest = words
    if "--help" in rest or is_a_name(words):
        return [verb, "--help"]
    if "--resume" in rest:  # goes on as it was planned
        return words
    more = shlex.split(SHORT.get(verb, ""))
    if verb == "run" and any("md" in word.split(",") for word in rest):
        more += ["--duration", "0.02", "--nvt-duration", "0.02"]
    if "--structures" in rest and "--structures" in more:  # the option adds to what is there
        at = more.index("--structures")
        del more[at : at + 2]
    words = [*words, *more]
    if "--cluster" in rest:  # there need not be one
        words = [*words, "--dry-run"]
    named = "--methods" in rest or (verb in ("prepare", "check-gpu") and any(not word.startswith("-") for word in rest))
    if not named:
        words += shlex.split(SHORT_METHODS.get(verb, ""))
    takes_adapters = any(field.name == "adapter" for field in dataclasses.fields(VERBS[verb].options))
    if takes_adapters and FAKE & {part for word in words for part in word.split(",")}:
        words += ["--adapter", str(FAKES)]
    if verb == "engines" or "--engines" in rest:  # a fake that has engines
        name = words.index("--methods") + 1 if "--methods" in rest else 1
        words = [*words[:name], "original", *words[name + 1 :], "--weights", "random"]
        words += [word for file in WITH_ENGINES for word in ("--adapter", str(file))]
    if any("tunable" in word.split(",") for word in words):
        words += ["--adapter", str(TUNABLE)]
    return words


def kind(words):
    """Return what a command line has in common with others that differ from it only in the values of options."""
    verb, *rest = words
    chosen = [word for before, word in zip(words, rest, strict=False) if before in ("--protocols", "--format")]
    first = "" if rest[:1] == [] or rest[0].startswith("-") else rest[0]  # a run, 'paper', a file, what history does
    if verb in ("check-gpu", "prepare", "reference", "script", "tune", "engines"):
        first = ""  # one method or another
    if verb in ("advise", "check-gpu", "prepare", "reference", "script", "tune"):
        first = ""  # one method or another, or a file
    return verb, first, "emt.py" in rest, *chosen, frozenset(word for word in rest if word.startswith("--"))


def is_run_elsewhere(words):
    return words[0] in RUN_ELSEWHERE and "--help" not in words and "--on-top-of" not in words


TOLD = collected()
UNKNOWN = []
LINES = {}
"""What is really parsed, and where it was told."""
for one in TOLD:
    if one.line.startswith("pesbench"):
        try:
            LINES.setdefault(shlex.join(short(filled(one.line))), f"'{one.line}' of {one.where}")
        except LookupError as error:
            UNKNOWN.append(f"{one.where}: {error}")
# what somebody types who has just cloned the repository
for first in ("list", "table paper", "doctor", "env", "prepare uff", "plot paper --output speed"):
    LINES.setdefault(first, "a first look around")
RUN_ONCE = {kind([word for word in shlex.split(line) if word != "--adapter"]): line for line in LINES}
"""One line of each kind."""


def parts(words):
    """Return what another line may have, too: verb, options, protocols, format, the documents' adapter."""
    verb, *rest = words
    found = {verb, *(word for word in rest if word.startswith("--") or word == "emt.py")}
    for before, word in zip(words, rest, strict=False):
        if before in ("--protocols", "--format"):
            found |= {*word.split(",")}
    return {(verb, one) for one in found}


def run_lines():
    """Yield what is really run: where it measures, only lines that have something which no line before them had."""
    seen = set()
    lines = {line: shlex.split(line) for line in RUN_ONCE.values()}
    for line in sorted(lines, key=lambda line: len(parts(lines[line])), reverse=True):
        verb, *rest = lines[line]
        if verb not in MEASURING or {"--help", "--resume"} & set(rest):
            yield line
        elif not parts(lines[line]) <= seen:
            seen |= parts(lines[line])
            yield line


CHOSEN = {*run_lines()}
RUN_HERE = [line for line in RUN_ONCE.values() if line in CHOSEN and not is_run_elsewhere(shlex.split(line))]
"""What is really run."""
MAKE = sorted({one.line for one in TOLD if one.line.startswith("make")})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, pesbench):
    """Return a copy of the checkout that may be written to, with two runs, a history and the documents' adapter."""
    folder = copied(tmp_path_factory.mktemp("checkout"))
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "extending.md").read_text(), re.DOTALL)
    (folder / "emt.py").write_text(example)
    (folder / ".envs").mkdir()
    for adapter in ("adapters/uff.py", FAKES, TUNABLE, "emt.py", *WITH_ENGINES):
        made = environments.prepare(read_header(folder / adapter)).python.parents[1]
        (folder / ".envs" / made.name).symlink_to(made)
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy", "--structures", "naphthalene-gfn2", "--limit", "2"),
        *("--rounds", "2", "--threads", "1", "--protocols", "relax,replay,md,accuracy,scaling,throughput,optimizers"),
        *("--max-atoms", "72", "--duration", "0.02", "--nvt-duration", "0.02", "--budget", "4"),
        *("--no-repeats", "--optimizers", "BFGS,FIRE", "--output", "first"),
        cwd=folder,
        still=True,
        page=True,
    )
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "first").iterdir()
    shutil.copy(run / "report.html", folder)
    listed = [sys.executable, "-m", "pip", "list", "--format", "json"]
    (folder / "there.json").write_text(subprocess.run(listed, capture_output=True, text=True, check=True).stdout)
    for name in (RUN, OTHER_RUN):
        shutil.copytree(run, folder / "results" / name)
        assert pesbench("history", "add", name, cwd=folder, still=True).returncode == 0
    (folder / "results" / RUN / "about.json").write_text('{"name": "aspirin", "tags": []}')
    return folder


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    """Return another copy, without environments, for what changes or deletes runs: one, as imports take seconds."""
    return copied(tmp_path_factory.mktemp("spare"))


def copied(folder):
    """Copy what pesbench runs from into a folder."""
    for name in ("bench", "adapters", "datasets", "results/paper", "results/baselines", "tests/fakes"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    return folder


def test_every_command_line_that_is_told_is_understood(capsys):
    for line, where in LINES.items():
        words = shlex.split(line)
        try:
            verb, _ = parse(words)
        except SystemExit as ended:
            assert ended.code == 0, f"{where}, run as 'pesbench {line}':\n{capsys.readouterr().err}"
            assert "--help" in words
        else:
            assert verb == VERBS[words[0]]


def test_what_is_replaced_by_a_fake_is_the_name_of_a_method():
    known = Catalogue().methods.values()
    assert HEAVY.keys() <= {method.name for method in known} | {method.level for method in known}


@pytest.mark.parametrize("line", RUN_HERE, ids=lambda line: line[:70])
def test_a_command_line_that_is_told_works(pesbench, checkout, spare, tmp_path, line):
    words = shlex.split(line)
    folder = checkout
    if "--remove" in words or words[0] == "runs":  # not the environments, runs and names that other lines have
        folder = spare
        shutil.rmtree(folder / "results")
        shutil.copytree(checkout / "results", folder / "results")
    elif "--base" in words:  # a commit is in the repository only
        folder = PROJECT
    if words[0] in MEASURING and not {"--help", "--resume"} & set(words):
        words += ["--output", str(tmp_path / "runs")]
    if "--show" in words:  # what an earlier one has measured
        kept = Timeline("toy", "toy", "ase", (Release("3.28.0", "3.29.0", 1.0, 0.9, 1.1),))
        timelines.write(timelines.path_of("toy", "ase", tmp_path / "runs"), kept)
    done = pesbench(*words, cwd=folder, still=True, PESBENCH_CACHE=str(checkout / "cache"))
    where = f"{LINES[line]}, run as 'pesbench {line}'"
    assert "Traceback" not in done.stderr, f"{where}:\n{done.stderr}"
    assert done.returncode in ((2,) if line in REFUSED else (0, 1)), f"{where}:\n{done.stderr or done.stdout}"


@pytest.mark.parametrize("line", MAKE)
def test_a_make_line_that_is_told_has_a_target_and_runs_what_can_be_understood(line):
    make, *words = shlex.split(line)
    done = subprocess.run([make, "--dry-run", *words], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in re.findall(r"^\S*bin/pesbench (.*)", done.stdout.replace("\\\n", " "), re.MULTILINE):
        parse(shlex.split(command))


def test_what_other_tests_run_is_there():
    for verb, file in RUN_ELSEWHERE.items():
        assert f'"{verb}"' in (PROJECT / "tests" / file).read_text()


def test_every_verb_is_told():
    assert {line.split()[0] for line in LINES} == VERBS.keys()


def test_what_is_told_stands_between_quotes():
    for path in sources():
        for string in unquoted(path.read_text()):
            pytest.fail(f"put the command line in {path.name} between quotes, so that its end can be seen: {string!r}")


def test_it_is_known_what_stands_for_each_placeholder():
    assert not UNKNOWN, "\n".join(UNKNOWN)
    with pytest.raises(LookupError, match=r"'pesbench table \{nobody\}' has \{nobody\}: say in PLACEHOLDERS"):
        filled("pesbench table {nobody}")
