"""Planted tokens, keys and passwords: no worker gets them, and nothing that is written holds them."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path

import pytest

from bench.environments import environments
from bench.environments.header import read_header

FAKES = Path(__file__).parents[1] / "fakes" / "fakes.py"
STRUCTURES = ["--structures", "naphthalene-gfn2"]
PLANTED = "pl4nted-s3cret"
SECRETS = {
    "HF_TOKEN": f"hf_{PLANTED}",
    "HUGGING_FACE_HUB_TOKEN": PLANTED,
    "AWS_SECRET_ACCESS_KEY": PLANTED,
    "GITHUB_TOKEN": PLANTED,
    "SLURM_JWT": PLANTED,
    "WANDB_API_KEY": PLANTED,
    "MY_PASSWORD": PLANTED,
    "OF_NO_KNOWN_NAME": PLANTED,
    "HTTPS_PROXY": f"http://me:{PLANTED}@127.0.0.1:9",
    "PIP_EXTRA_INDEX_URL": f"http://me:{PLANTED}@127.0.0.1:9/simple",
}


def holding(folder):
    """Return the files in which a planted secret is."""
    return [path for path in folder.rglob("*") if path.is_file() and PLANTED.encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def told(tmp_path_factory, pesbench) -> Path:
    """Return the run of a method that tells its whole environment, in its settings, its log and its failures."""
    environments.prepare(read_header(FAKES))  # without the planted index, which does not exist
    results = tmp_path_factory.mktemp("results")
    done = pesbench(
        *("run", "--adapter", FAKES, "--methods", "toy,tells-all", *STRUCTURES, "--limit", "3", "--rounds", "1"),
        *("--threads", "1", "--no-repeats", "--output", results),
        **SECRETS,
        PLAIN_PRESSURE="1013",
        PESBENCH_PASS="PLAIN_PRESSURE",
    )
    assert done.returncode == 0, done.stderr
    assert PLANTED not in done.stdout + done.stderr
    return next(results.iterdir())


def test_a_worker_gets_what_it_needs_and_what_the_user_names_and_no_secret(told):
    records = [json.loads(line) for line in (told / "records.jsonl").read_text().splitlines()]
    (started,) = [one for one in records if one["record"] == "started" and one["method"] == "tells-all"]
    found = started["settings"]
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["PATH"]
    assert found["PLAIN_PRESSURE"] == "1013"
    assert not SECRETS.keys() & found.keys()
    assert started["environment"]["PESBENCH_PASS"] == "PLAIN_PRESSURE", "the record says that it got more than others"


def test_no_file_of_a_run_holds_a_secret_though_the_method_told_all(told):
    assert [path for path in told.rglob("*") if path.is_file() and b"PLAIN_PRESSURE" in path.read_bytes()]
    assert not holding(told)


@pytest.mark.parametrize(
    "words",
    [
        ("report", "RUN", "--output", "page.html"),
        ("table", "RUN"),
        ("table", "RUN", "--format", "json"),
        ("explain", "tells-all", "--run", "RUN", "--adapter", FAKES),
    ],
)
def test_neither_page_nor_tables_hold_a_secret(pesbench, told, tmp_path, words):
    done = pesbench(*(told if word == "RUN" else word for word in words), cwd=tmp_path, **SECRETS)
    assert done.returncode == 0, done.stderr
    assert PLANTED not in done.stdout + done.stderr
    assert (tmp_path / "page.html").is_file() == (words[0] == "report")
    assert not holding(tmp_path)


class Refusing(http.server.BaseHTTPRequestHandler):
    """An index that refuses everybody."""

    asked: list[str] = []  # noqa: RUF012 - the test looks at it

    def do_GET(self):
        self.asked.append(self.headers.get("Authorization", ""))
        self.send_error(403)

    def log_message(self, *arguments):
        pass


def test_the_password_of_an_index_reaches_the_index_and_no_record(pesbench, tmp_path):
    adapter = tmp_path / "unheard.py"
    adapter.write_text(FAKES.read_text().replace('"scipy==1.17.1"', '"scipy==1.17.1", "unheard-of-package"'))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = pesbench(
            *("run", "--adapter", adapter, "--methods", "toy", *STRUCTURES, "--limit", "1", "--rounds", "1"),
            *("--threads", "1", "--output", tmp_path / "results"),
            PIP_INDEX_URL=f"http://me:{PLANTED}@127.0.0.1:{server.server_port}/simple",
            PIP_FIND_LINKS="",
        )
        server.shutdown()
    assert any(one.startswith("Basic ") for one in Refusing.asked), "uv shows the index the user's name and password"
    assert done.returncode == 1
    assert "403 Forbidden" in done.stderr
    assert PLANTED not in done.stdout + done.stderr
    assert not holding(tmp_path / "results")
