"""What methods tell of themselves becomes JSON, and text that can be written, read and printed."""

import json
from pathlib import Path

import numpy as np
import orjson
import pytest

from bench.core.failure import Failure
from bench.core.lines import to_json
from bench.core.plain import clean, jsonable
from bench.core.records import NotMeasured


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        ({"b", "a"}, ["a", "b"]),
        ((1, {2}), [1, [2]]),
        (Path("a") / "b", "a/b"),
        (float("nan"), "nan"),
        ({1: np.float64(2)}, {"1": 2.0}),
        (None, None),
        ("plain", "plain"),
    ],
)
def test_what_can_plainly_be_kept_is_converted(told, kept):
    found = jsonable(told, "x")
    assert found == kept
    assert orjson.loads(orjson.dumps(found)) == json.loads(json.dumps(found, allow_nan=False)) == kept


def test_the_key_of_what_cannot_be_kept_is_named():
    with pytest.raises(TypeError, match=r"settings\(\)\['model'\]\[1\] is a object, which JSON cannot hold"):
        jsonable({"model": [1, object()]}, "settings()")
    with pytest.raises(TypeError, match=r"settings\(\)\['dtype'\] is a type"):
        jsonable({"dtype": np.float64}, "settings()")


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("caf\udce9 \ud800", "caf\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\rc", "a b c"),
        ("Å × ± 漢字", "Å × ± 漢字"),
    ],
)
def test_text_is_made_clean(hostile, harmless):
    assert clean(hostile) == harmless


def test_a_failure_can_be_written_and_read_whatever_a_method_put_into_its_words():
    line = to_json(NotMeasured("toy", "cpu", 0, Failure("calculator", "bad \ud800\x1b[2J\nthing\x00")))
    assert orjson.loads(line)["failure"]["message"] == "bad \N{REPLACEMENT CHARACTER} thing"
