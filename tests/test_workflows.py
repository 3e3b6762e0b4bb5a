"""The workflows of GitHub Actions: actions pinned by hash, and no verb that the Makefile or the command line lacks."""

import re
from pathlib import Path

import pytest

from bench.commands import verbs

PROJECT = Path(__file__).parents[1]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def test_there_are_two():
    assert [path.stem for path in WORKFLOWS] == ["speed", "tests"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_hash_and_say_which_version_that_is(path):
    uses = re.findall(r"uses: (.+)", path.read_text())
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_calls_is_there(path):
    text = path.read_text()
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", text)) <= targets
    assert set(re.findall(r"bin/pesbench ([a-z]+)", text)) <= set(verbs())


def test_nothing_of_a_pull_request_is_put_into_a_shell_line():
    for path in WORKFLOWS:
        for line in path.read_text().splitlines():
            assert "${{" not in line or re.match(r"\s*[\w-]+: \$\{\{", line), f"{path.name}: {line}"


def test_every_adapter_that_a_pull_request_changes_is_measured():
    text = next(path for path in WORKFLOWS if path.stem == "speed").read_text()
    (pattern,) = re.findall(r'"(adapters/[^"]+)"', text)
    paths = [path.relative_to(PROJECT) for path in (PROJECT / "adapters").glob("*.py")]
    assert paths
    assert all(path.match(pattern) for path in paths)
    # the first parent of the merge that a pull request's checkout is: both have to be fetched
    assert 'make regress METHODS=changed BASE="HEAD^1"' in text
    assert "fetch-depth: 2" in text
