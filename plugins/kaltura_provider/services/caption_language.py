"""Caption languages and formats, read from file names: ``talk.en.srt`` is English, SRT."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from kaltura_provider.api.enums import CaptionFormat
from kaltura_provider.api.errors import KalturaConfigurationError

__all__ = ["caption_format", "caption_language", "language_name"]

_FORMATS = {
    "srt": CaptionFormat.SRT,
    "vtt": CaptionFormat.WEBVTT,
    "webvtt": CaptionFormat.WEBVTT,
    "dfxp": CaptionFormat.DFXP,
    "ttml": CaptionFormat.DFXP,
    "xml": CaptionFormat.DFXP,
    "cap": CaptionFormat.CAP,
    "scc": CaptionFormat.SCC,
}
# ISO 639-1 and 639-2 codes, and the names Kaltura knows them by.
_LANGUAGES = """
af afr Afrikaans|ar ara Arabic|bg bul Bulgarian|bn ben Bengali|ca cat Catalan|cs ces Czech|cy cym Welsh|da dan Danish
de deu German|el ell Greek|en eng English|es spa Spanish|et est Estonian|eu eus Basque|fa fas Persian|fi fin Finnish
fr fra French|ga gle Irish|gl glg Galician|gu guj Gujarati|he heb Hebrew|hi hin Hindi|hr hrv Croatian|hu hun Hungarian
hy hye Armenian|id ind Indonesian|is isl Icelandic|it ita Italian|ja jpn Japanese|ka kat Georgian|kk kaz Kazakh
kn kan Kannada|ko kor Korean|lt lit Lithuanian|lv lav Latvian|mk mkd Macedonian|ml mal Malayalam|mr mar Marathi
ms msa Malay|nl nld Dutch|no nor Norwegian|pa pan Punjabi|pl pol Polish|pt por Portuguese|ro ron Romanian
ru rus Russian|sk slk Slovak|sl slv Slovenian|sq sqi Albanian|sr srp Serbian|sv swe Swedish|sw swa Swahili
ta tam Tamil|te tel Telugu|th tha Thai|tr tur Turkish|uk ukr Ukrainian|ur urd Urdu|vi vie Vietnamese|zh zho Chinese
"""
_OTHER_CODES = {"ger": "de", "fre": "fr", "dut": "nl", "chi": "zh", "cze": "cs", "gre": "el", "per": "fa", "rum": "ro"}
# Three-letter codes that are English words: after a blank or an underscore they are part of a title.
_WORDS = {"ben", "cat", "chi", "dan", "est", "fin", "hin", "hun", "ind", "kan", "mar", "nor", "pan", "per", "pol"}
_WORDS |= {"ron", "rum", "spa", "tam", "tel", "vie"}
# A code after a dot, with a script and a region or without: en, eng, en-US, zh-Hans, es-419.
_DOTTED = re.compile(r"\.([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_](?:[a-z]{2}|\d{3}))?\Z")
_NAMES: dict[str, str] = {}
_CODES: dict[str, str] = {}
for _two, _three, _name in (item.split() for item in re.split(r"[|\n]", _LANGUAGES) if item.strip()):
    _NAMES |= {_two: _name, _three: _name, _name.lower(): _name}
    _CODES[_name] = _two
# Where Kaltura's own name is another one.
_KALTURA = {"bn": "Bengali (Bangla)", "lv": "Latvian (Lettish)", "sw": "Swahili (Kiswahili)", "fa": "Farsi"}
_NAMES = {known: _KALTURA.get(_CODES[name], name) for known, name in _NAMES.items()}
_NAMES |= {code: _NAMES[two] for code, two in _OTHER_CODES.items()}


def language_name(language: str) -> str:
    """Return Kaltura's name (``English``) of a language given by name or by its ISO 639 code (``en``, ``en-US``).

    :raises KalturaConfigurationError: it is unknown.
    """
    text = str(language).strip()
    name = _NAMES.get(text.lower()) or _NAMES.get(re.split(r"[-_]", text.lower())[0])
    # Kaltura knows more names than these, "English (British)" too; it is the one to judge them.
    if name is None and re.fullmatch(r"[A-Z][A-Za-z-]{3,}( [A-Za-z(][A-Za-z(), -]*)?", text):
        return text
    if name is None:
        raise KalturaConfigurationError(
            "language", text, "is unknown", "give a name such as English, or a code such as en"
        )
    return name


def caption_language(file_name: str) -> str | None:
    """Return the language that a file's name says before its extension.

    That is a code after a dot (``talk.en.srt``, ``talk.en-US.srt``), a name (``talk_German.vtt``, ``talk German.vtt``)
    or a code of three letters that is no English word (``talk_deu.vtt``). Two letters after an underscore or a blank
    are mostly words (``how_to_do_it.srt``).
    """
    stem = PurePosixPath(file_name).stem.lower()
    if (dotted := _DOTTED.search(stem)) and dotted[1] in _NAMES:
        return _NAMES[dotted[1]]
    *before, last = re.split(r"[._\s]+", stem)
    return _NAMES.get(last) if before and len(last) > 2 and last not in _WORDS else None


def caption_format(file_name: str) -> CaptionFormat | None:
    """Return the caption format of a file's extension."""
    return _FORMATS.get(PurePosixPath(file_name).suffix[1:].lower())
