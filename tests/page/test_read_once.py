"""The end of a run reads its records once, and computes each protocol's figures once."""

import shutil

from bench.commands import _results
from bench.protocols.accuracy import analyse as accuracy
from bench.protocols.md import analyse as md
from bench.results import store


def counted(monkeypatch, module, name):
    """Count the calls of a function, which goes on to work."""
    calls, function = [], getattr(module, name)

    def call(*arguments, **named):
        calls.append(name)
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, call)
    return calls


def test_records_are_read_once_for_the_table_and_the_page(fake_run, tmp_path, monkeypatch, capsys):
    run = tmp_path / fake_run.name
    shutil.copytree(fake_run, run)
    reads = counted(monkeypatch, store, "read")
    assert _results.finish(run) == 0
    assert (run / _results.PAGE).is_file()
    assert len(reads) == 1
    assert "springs" in capsys.readouterr().out


def test_dynamics_and_accuracy_are_judged_once(whole_run, tmp_path, monkeypatch, capsys):
    run = tmp_path / whole_run.name
    shutil.copytree(whole_run, run)
    judged = counted(monkeypatch, md, "_stabilities")
    compared = counted(monkeypatch, accuracy, "_accuracies")
    assert _results.finish(run) == 0
    assert (len(judged), len(compared)) == (1, 1)
    assert "GFN2-xTB" in capsys.readouterr().out
