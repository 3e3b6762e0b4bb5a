"""The baselines that come with pesbench, and those of the user's own."""

import json

from bench import paths
from bench.data.structures import GFN2, load_dataset
from bench.results import baselines


def test_a_baseline_of_the_users_own_comes_before_the_one_that_came_along(tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "folder", lambda: tmp_path)
    digest = load_dataset(GFN2).digest
    shipped = baselines.read_baseline("uff", digest)
    assert shipped is not None
    name = f"{digest[:12]}/uff.json"
    document = json.loads((paths.shipped_results_dir() / "baselines" / name).read_text())
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(json.dumps({**document, "energies": {"0": 1.0}}))
    assert baselines.read_baseline("uff", digest).energies == {0: 1.0} != shipped.energies
