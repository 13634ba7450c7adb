import copy
import math
import pickle
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.enums import MediaType, SourceType
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.params import NULL, flatten, flatten_all


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"entryId": "0_a"}, [("entryId", "0_a")]),
        ({"entry": {"name": "x", "mediaType": 1}}, [("entry[name]", "x"), ("entry[mediaType]", "1")]),
        ({"urls": [{"value": "a"}, {"value": "b"}]}, [("urls[0][value]", "a"), ("urls[1][value]", "b")]),
        ({"ids": ("a", "b")}, [("ids[0]", "a"), ("ids[1]", "b")]),
        ({"yes": True, "no": False}, [("yes", "1"), ("no", "0")]),
        ({"left": None, "entry": {"out": None, "in": 1}}, [("entry[in]", "1")]),
        ({"entry": {"description": NULL}}, [("entry[description__null]", "")]),
        ({"description": NULL}, [("description__null", "")]),
        ({"list": [], "object": {}}, [("list[-]", ""), ("object[-]", "")]),
        ({"entry": {"tags": []}}, [("entry[tags][-]", "")]),
        ({"type": MediaType.AUDIO, "source": SourceType.URL}, [("type", "5"), ("source", "5")]),
        ({"at": 9007199254740991, "second": 1.5}, [("at", "9007199254740991"), ("second", "1.5")]),
        ({"offset": 1e16, "small": 0.25}, [("offset", "10000000000000000"), ("small", "0.25")]),
        ({"name": "é&=[]"}, [("name", "é&=[]")]),
    ],
)  # fmt: skip
def test_flatten(params, fields):
    assert flatten(params) == fields


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"entry": {"file": b"x"}}, TypeError, r"entry\[file\] is a bytes"),
        ({"when": object()}, TypeError, "when is a object"),
        ({"at": math.nan}, ValueError, "at is nan"),
        ({"a[b]": 1}, ValueError, "brackets"),
        ({"": 1}, ValueError, "empty"),
        ({"entry": {1: "x"}}, TypeError, "not a string"),
    ],
)
def test_what_has_no_form_is_refused(params, error, words):
    with pytest.raises(error, match=words):
        flatten(params)


def test_more_fields_than_the_server_reads_are_refused():
    assert len(flatten_all({"ids": list(range(10_000))})) == 10_000
    with pytest.raises(KalturaConfigurationError, match="10001 exceed the 10000 form fields"):
        flatten_all({"ids": list(range(10_001))})


def test_null_stays_itself():
    assert pickle.loads(pickle.dumps(NULL)) is NULL
    assert copy.deepcopy({"a": NULL})["a"] is NULL


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
_VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(_NAMES, inner, min_size=1, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_NAMES, _VALUES, max_size=4))
def test_a_reader_of_brackets_gets_back_what_was_sent(params):
    sent = urlencode(flatten(params))
    assert _nested(parse_qsl(sent, keep_blank_values=True)) == _as_text(params)


def _nested(fields):
    root: dict = {}
    for name, value in fields:
        keys = name.replace("]", "").split("[")
        place = root
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return root


def _as_text(value):
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return {str(index): _as_text(item) for index, item in enumerate(value)}
    return str(int(value)) if isinstance(value, bool) else str(value)
