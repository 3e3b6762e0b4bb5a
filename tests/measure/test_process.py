"""What a worker reports about its own process."""

import sys

from bench.measure import process


def test_of_two_versions_in_the_search_path_the_one_that_is_imported_is_reported(tmp_path, monkeypatch):
    for folder, version in (("own", "2.4.6"), ("base", "2.5.2")):
        about = tmp_path / folder / f"thing-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "own"), str(tmp_path / "base"), *sys.path])
    assert process.versions()["thing"] == "2.4.6"
    assert process.versions()["numpy"]
