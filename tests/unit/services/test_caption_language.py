"""Caption languages and formats from file names, and kinds from first bytes."""

from __future__ import annotations

import pytest

from kaltura_provider.api.enums import CaptionFormat
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.caption_language import caption_format, caption_language, language_name
from kaltura_provider.services.entry.content_kind import kind_of_content


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("talk.en.srt", "English"),
        ("talk_German.vtt", "German"),
        ("talk.pt-BR.srt", "Portuguese"),
        ("a.ger.dfxp", "German"),
        ("clip.fa.srt", "Farsi"),
        ("talk.en-US.srt", "English"),
        ("talk.en_US.srt", "English"),
        ("talk.zh-Hans.srt", "Chinese"),
        ("talk.es-419.vtt", "Spanish"),
        ("Talk EN.en.srt", "English"),
        ("talk_deu.vtt", "German"),
        ("Talk English.srt", "English"),
        ("My cat.cat.srt", "Catalan"),
        ("how_to_do_it.srt", None),
        ("Say hi.srt", None),
        ("part_no.vtt", None),
        ("what_it-does.srt", None),
        ("My cat.srt", None),
        ("interview_with_dan.srt", None),
        ("a_day_at_the_spa.srt", None),
        ("talk.no-intro.srt", None),
        ("this.is.final.srt", None),
        ("en.srt", None),
        ("talk.srt", None),
    ],
)
def test_language_of_a_file(name: str, language: str | None) -> None:
    assert caption_language(name) == language


def test_language_names() -> None:
    assert [language_name(said) for said in ("en", "deu", "french", "en-US", "English (British)")] == [
        "English", "German", "French", "English", "English (British)"
    ]  # fmt: skip
    with pytest.raises(KalturaConfigurationError, match="language 'xx' is unknown"):
        language_name("xx")


def test_formats() -> None:
    names = ("a.srt", "a.VTT", "a.ttml", "a.scc", "a.txt")
    expected = [CaptionFormat.SRT, CaptionFormat.WEBVTT, CaptionFormat.DFXP, CaptionFormat.SCC, None]
    assert [caption_format(name) for name in names] == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "video"),
        (b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00", "audio"),
        (b"\x1aE\xdf\xa3\x01\x00", "video"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio"),
        (b"ID3\x03\x00", "audio"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image"),
        (b"\x89PNG\r\n\x1a\n\x00", "image"),
        (b"%PDF-1.7\n", "document"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml", "document"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"photo.jpg", "data"),
        (b'{"a": 1}', "data"),
        ("caf\u00e9".encode(), "data"),
        (b"\x00\x01\x02\x03 nothing known", None),
        (b"", None),
    ],
)
def test_kind_of_content(head: bytes, kind: str | None) -> None:
    assert kind_of_content(head) == kind
