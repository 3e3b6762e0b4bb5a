"""Checkpoints: found, fetched, and verified before anything reads them."""

import contextlib
import dataclasses
import hashlib
import http.server
import io
import tarfile
import threading
from pathlib import Path

import pytest

from bench.environments import checkpoints
from bench.environments.checkpoints import CheckpointMissing
from bench.environments.header import Checkpoint, Method

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def archive(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return file.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """A server that knows ranges, asks for a token at /gated, redirects from /away and /moved, and can break off."""

    asked: list[str | None] = []  # noqa: RUF012 - the tests look at it
    shown: list[tuple[str, str]] = []  # noqa: RUF012 - where it came with a token: the server, and the path
    away = ""
    break_after: int | None = None
    body = CONTENT
    told_length = True
    starts_anew = False
    archive = archive({"inner/saved_model.pb": b"graph", "inner/variables/index": b"index"})

    def do_GET(self):
        body = self.archive if self.path.endswith(".tar.gz") else self.body
        type(self).asked.append(self.headers.get("Range"))
        if self.headers.get("Authorization"):
            self.shown.append((self.headers["Host"], self.path))
        if self.path.startswith(("/away", "/moved", "/circle")):
            self.send_response(302)
            there = {"/away": f"{self.away}/model.pt", "/move": "/gated/model.pt"}.get(self.path[:5], self.path)
            self.send_header("Location", there)
            self.end_headers()
            return
        if self.path.startswith("/gated") and self.headers.get("Authorization") != "Bearer secret":
            self.send_error(403)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        start = 0 if self.starts_anew else start
        if self.headers.get("Range"):
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.told_length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : self.break_after])

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


@pytest.fixture
def server():
    Handler.asked.clear()
    Handler.shown.clear()
    Handler.break_after = None
    with serving() as address:
        yield address


@pytest.fixture
def elsewhere():
    with serving() as address:
        yield address


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PESBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PESBENCH_WEIGHTS", raising=False)
    for name in ("HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def method(**checkpoint):
    facts = {"file": "model.pt", "licence": "MIT", **checkpoint}
    return Method("model", "Model", Path("x.py"), "f", "mlip", ("cpu",), ("float32",), checkpoint=Checkpoint(**facts))


def test_a_checkpoint_is_fetched_once_and_checked(server, cache):
    wanted = method(url=f"{server}/model.pt", sha256=SHA256)
    found = checkpoints.prepare(wanted)
    assert found.path == cache / "weights" / "model.pt"
    assert (found.sha256, found.known_by) == (SHA256, "header")
    checkpoints.prepare(wanted)
    assert len(Handler.asked) == 1


def test_a_broken_download_goes_on_where_it_stopped(server, cache):
    wanted = method(url=f"{server}/model.pt", sha256=SHA256)
    Handler.break_after = 100_000
    with pytest.raises(CheckpointMissing, match="could not be fetched"):
        checkpoints.prepare(wanted)
    assert not (cache / "weights" / "model.pt").exists()
    Handler.break_after = None
    checkpoints.prepare(wanted)
    assert Handler.asked[-1].startswith("bytes=")
    assert (cache / "weights" / "model.pt").read_bytes() == CONTENT


def test_a_broken_download_begins_anew_where_no_hash_would_tell_two_versions_apart(server, cache, monkeypatch):
    wanted = method(url=f"{server}/model.pt")
    Handler.break_after = 100_000
    with pytest.raises(CheckpointMissing, match="could not be fetched"):
        checkpoints.prepare(wanted, trust=True)
    Handler.break_after = None
    monkeypatch.setattr(Handler, "body", CONTENT[::-1])
    checkpoints.prepare(wanted, trust=True)
    assert Handler.asked == [None, None]
    assert (cache / "weights" / "model.pt").read_bytes() == CONTENT[::-1]


def test_a_server_that_starts_anew_all_the_same_doubles_nothing(server, cache, monkeypatch):
    wanted = method(url=f"{server}/model.pt", sha256=SHA256)
    Handler.break_after = 100_000
    with pytest.raises(CheckpointMissing, match="could not be fetched"):
        checkpoints.prepare(wanted)
    Handler.break_after = None
    monkeypatch.setattr(Handler, "starts_anew", True)
    checkpoints.prepare(wanted)
    assert (cache / "weights" / "model.pt").read_bytes() == CONTENT


def test_a_file_whose_length_nobody_says_is_not_taken_for_whole(server, monkeypatch):
    monkeypatch.setattr(Handler, "told_length", False)
    Handler.break_after = 100_000
    with pytest.raises(CheckpointMissing, match="could not be fetched"):
        checkpoints.prepare(method(url=f"{server}/model.pt"), trust=True)


def test_a_file_with_another_hash_is_refused_and_does_not_stay(server, cache, monkeypatch):
    wanted = method(url=f"{server}/model.pt", sha256=SHA256)
    monkeypatch.setattr(Handler, "body", CONTENT[::-1])
    with pytest.raises(CheckpointMissing, match=rf"has SHA-256 .*, not {SHA256[:12]}.*it was removed"):
        checkpoints.prepare(wanted)
    assert not list((cache / "weights").iterdir())
    monkeypatch.setattr(Handler, "body", CONTENT)
    assert checkpoints.prepare(wanted).known_by == "header"


def test_a_file_without_a_published_checksum_needs_the_users_trust_once(tmp_path, monkeypatch):
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "model.pt").write_bytes(CONTENT)
    monkeypatch.setenv("PESBENCH_WEIGHTS", str(tmp_path / "ready"))
    with pytest.raises(CheckpointMissing, match=r"no published checksum .* --trust-checkpoint"):
        checkpoints.find(method())
    assert checkpoints.find(method(), trust=True).known_by == "user"
    assert checkpoints.find(method()).known_by == "user"
    (tmp_path / "ready" / "model.pt").write_bytes(CONTENT + b"!")
    with pytest.raises(CheckpointMissing, match="no published checksum"):
        checkpoints.find(method())


def test_a_file_without_a_published_hash_is_fetched_only_with_trust(server):
    wanted = method(url=f"{server}/model.pt")
    with pytest.raises(CheckpointMissing, match=r"publish no SHA-256 .* --trust-checkpoint"):
        checkpoints.prepare(wanted)
    assert not Handler.asked
    assert checkpoints.prepare(wanted, trust=True).known_by == "user"


def host(address):
    return address.removeprefix("http://")


def on_hugging_face(path, **facts):
    return method(url=f"https://huggingface.co/{path}", sha256=SHA256, gated="https://example.org/ask", **facts)


def test_a_gated_file_names_the_page_to_visit_and_takes_a_token_to_where_the_user_says(server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{server}/")
    wanted = on_hugging_face("gated/model.pt")
    with pytest.raises(CheckpointMissing, match=r"ask for access at https://example\.org/ask and set HF_TOKEN"):
        checkpoints.prepare(wanted)
    assert not Handler.asked
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert checkpoints.prepare(wanted).known_by == "header"
    assert Handler.shown == [(host(server), "/gated/model.pt")]


def test_the_token_goes_to_gated_files_only(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("HF_ENDPOINT", server)
    with pytest.raises(CheckpointMissing, match="could not be fetched"):
        checkpoints.prepare(method(url="https://huggingface.co/gated/model.pt", sha256=SHA256))
    assert Handler.asked
    assert not Handler.shown


def test_the_token_goes_to_no_other_host_whatever_a_header_says(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    wanted = method(url=f"{server}/gated/model.pt", sha256=SHA256, gated="https://example.org/ask")
    with pytest.raises(CheckpointMissing, match=r"ask for access at https://example\.org/ask and put the file into"):
        checkpoints.prepare(wanted)
    assert Handler.asked
    assert not Handler.shown


def test_the_token_stays_behind_where_a_redirect_leads_to_another_host(server, elsewhere, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("HF_ENDPOINT", server)
    monkeypatch.setattr(Handler, "away", elsewhere)
    assert checkpoints.prepare(on_hugging_face("away/model.pt")).sha256 == SHA256
    assert Handler.shown == [(host(server), "/away/model.pt")]
    assert len(Handler.asked) == 2


def test_the_token_goes_along_where_a_redirect_stays_on_the_host(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("HF_ENDPOINT", server)
    assert checkpoints.prepare(on_hugging_face("moved/model.pt")).sha256 == SHA256
    assert Handler.shown == [(host(server), "/moved/model.pt"), (host(server), "/gated/model.pt")]


def test_a_server_that_redirects_for_ever_is_given_up(server):
    with pytest.raises(CheckpointMissing, match=r"could not be fetched \(the server redirects too often\)"):
        checkpoints.prepare(method(url=f"{server}/circle", sha256=SHA256))


@pytest.mark.parametrize(
    ("url", "endpoint", "goes"),
    [
        ("https://huggingface.co/a/resolve/main/model.pt", "", True),
        ("https://HuggingFace.co/a/resolve/main/model.pt", "", True),
        ("http://huggingface.co/a/resolve/main/model.pt", "", False),
        ("https://huggingface.co:8443/model.pt", "", False),
        ("https://huggingface.co.example.org/model.pt", "", False),
        ("https://huggingface.co@example.org/model.pt", "", False),
        ("https://cdn.huggingface.co/model.pt", "", False),
        ("https://example.org/https://huggingface.co/model.pt", "", False),
        ("https://huggingface.co/model.pt", "https://mirror.example.org", False),
        ("https://mirror.example.org/model.pt", "https://mirror.example.org", True),
        ("http://mirror.example.org/model.pt", "https://mirror.example.org", False),
        ("http://example.org:99999999/model.pt", "", False),
    ],
)
def test_only_hugging_faces_own_host_over_https_is_it(url, endpoint, goes, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert checkpoints._is_hugging_face(url) is goes


def test_an_archive_becomes_the_folder_that_it_holds(server, cache):
    wanted = method(file="MODEL", url=f"{server}/model.tar.gz", unpack=True)
    found = checkpoints.prepare(wanted, trust=True)
    assert (found.path / "saved_model.pb").read_bytes() == b"graph"
    before = found.sha256
    (found.path / "variables" / "index").write_bytes(b"other")
    with pytest.raises(CheckpointMissing, match="no published checksum"):
        checkpoints.find(wanted)
    assert checkpoints.find(wanted, trust=True).sha256 != before


WHOLE = archive({"inner/saved_model.pb": b"graph" * 1000})


@pytest.mark.parametrize(
    "content",
    [archive({"../../escaped.txt": b"x"}), b"no archive", WHOLE[:60], WHOLE[:-20], archive({})],
    ids=["leads out", "no archive", "cut off early", "cut off late", "empty"],
)
def test_an_archive_that_is_damaged_or_leads_out_of_its_folder_is_refused(server, cache, monkeypatch, content):
    monkeypatch.setattr(Handler, "archive", content)
    wanted = method(file="MODEL", url=f"{server}/model.tar.gz", unpack=True)
    with pytest.raises(CheckpointMissing, match="cannot be unpacked"):
        checkpoints.prepare(wanted, trust=True)
    assert not list(cache.parent.rglob("escaped.txt"))
    assert not list((cache / "weights").iterdir())
    monkeypatch.setattr(Handler, "archive", WHOLE)
    assert (checkpoints.prepare(wanted, trust=True).path / "saved_model.pb").read_bytes() == b"graph" * 1000


def test_a_list_of_trusted_files_that_is_damaged_is_no_trust(tmp_path, cache):
    (tmp_path / "tuned.pt").write_bytes(CONTENT)
    cache.mkdir()
    for damaged in ("{", "[]", '{"tuned.pt": 1}'):
        (cache / "trusted-checkpoints.json").write_text(damaged)
        with pytest.raises(CheckpointMissing, match="no published checksum"):
            checkpoints.users_own(tmp_path / "tuned.pt", trust=False)
        checkpoints.users_own(tmp_path / "tuned.pt", trust=True)
    assert checkpoints.users_own(tmp_path / "tuned.pt", trust=False).sha256 == SHA256


def test_a_users_own_checkpoint_needs_trust(tmp_path):
    (tmp_path / "tuned.pt").write_bytes(CONTENT)
    with pytest.raises(CheckpointMissing, match="no published checksum"):
        checkpoints.users_own(tmp_path / "tuned.pt", trust=False)
    assert checkpoints.users_own(tmp_path / "tuned.pt", trust=True).sha256 == SHA256
    with pytest.raises(CheckpointMissing, match="there is no checkpoint"):
        checkpoints.users_own(tmp_path / "nowhere.pt", trust=True)


def test_a_shipped_checkpoint_and_a_method_without_one_need_nothing(cache):
    assert checkpoints.prepare(method(shipped=True)) is None
    assert checkpoints.prepare(dataclasses.replace(method(), checkpoint=None)) is None
    assert not cache.exists()
