import pytest

from bench.data.files import read


@pytest.fixture
def reading(tmp_path):
    """Return a function that writes a text or bytes to a file and reads it."""

    def write_and_read(text, name="a.xyz", **options):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read([path], **options)

    return write_and_read
