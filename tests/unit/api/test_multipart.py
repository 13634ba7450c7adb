from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.multipart import FilePart, frame


def _parts(content_type, body):
    message = BytesParser(policy=policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in message.iter_parts()
    ]


_TEXT = st.text(st.characters(min_codepoint=32, exclude_characters='"\\', exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.binary(max_size=50), max_size=5), st.dictionaries(st.text("abcXYZ[]", min_size=1), _TEXT, max_size=3)
)
def test_the_length_is_exact_and_the_file_comes_last(windows, fields):
    data = b"".join(windows)
    part = FilePart("clip.mp4", len(data), lambda: [memoryview(w) for w in windows])
    content_type, body = frame(list(fields.items()), part)
    sent = b"".join(bytes(piece) for piece in body)
    assert len(sent) == len(body)
    *texts, file = _parts(content_type, sent)
    assert [(name, value.decode()) for name, _, value in texts] == list(fields.items())
    assert file == ("fileData", "clip.mp4", data)


def test_it_can_be_sent_again():
    _, body = frame([], FilePart("a", 3, lambda: [b"abc"]))
    assert b"".join(body) == b"".join(body)


@pytest.mark.parametrize(("data", "words"), [(b"ab", "ended 1 bytes early"), (b"abcd", "more than 3")])
def test_a_source_of_another_size_breaks_off(data, words):
    _, body = frame([], FilePart("a", 3, lambda: [data]))
    with pytest.raises(ValueError, match=words):
        b"".join(body)
    assert isinstance(body.error, ValueError)


def test_what_the_source_raises_is_kept_until_the_next_time():
    answers = iter([OSError("disk"), None])

    def windows():
        if (error := next(answers)) is not None:
            raise error
        yield b"abc"

    _, body = frame([], FilePart("a", 3, windows))
    with pytest.raises(OSError, match="disk"):
        b"".join(body)
    assert isinstance(body.error, OSError)
    assert b"".join(body)
    assert body.error is None


def test_names_cannot_add_headers():
    content_type, body = frame([("a", "1")], FilePart('x"\r\nEvil: 1.mp4', 1, lambda: [b"z"]))
    sent = b"".join(body)
    assert b"\r\nEvil" not in sent
    assert len(_parts(content_type, sent)) == 2


def test_a_boundary_is_never_the_same():
    part = FilePart("a", 0, lambda: [])
    assert frame([], part)[0] != frame([], part)[0]


@pytest.mark.parametrize("bad", [{"file_name": "", "length": 1}, {"file_name": "a", "length": -1}])
def test_nonsense_is_refused(bad):
    with pytest.raises(KalturaConfigurationError):
        FilePart(body=lambda: [], **bad)
