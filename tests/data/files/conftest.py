import pytest

from bench.data.files import read
from bench.data.structures import load_dataset


@pytest.fixture
def reading(tmp_path):
    """Return a function that writes a text or bytes to a file and reads it."""

    def write_and_read(text, name="a.xyz", **options):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read([path], **options)

    return write_and_read


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a text to a file and makes the data set of it."""

    def write_and_load(text, name="a.xyz"):
        (tmp_path / name).write_text(text)
        return load_dataset(tmp_path / name)

    return write_and_load
