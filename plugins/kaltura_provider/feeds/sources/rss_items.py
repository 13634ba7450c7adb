"""The items of an RSS or Atom document, read as data.

feedparser reads what RSS and Atom say. It joins the media of groups, and knows neither ``media:hash`` nor the
attributes of ``media:subTitle``, so what Media RSS says is read from the elements themselves.
"""

from __future__ import annotations

import codecs
import datetime as dt
import html
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.sources.xml_items import Element, XmlItems

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["MAX_BYTES", "MAX_ITEMS", "Media", "RssItem", "read_items"]

MAX_BYTES = 16 * 1024 * 1024
"""The maximum size of a feed, in bytes."""

MAX_ITEMS = 10_000
"""The maximum number of items of a feed."""

MAX_TEXT = 10_000
"""The maximum length of a text. What is longer is cut, with a warning."""

_MAX_FILES = 100
_MAX_TAGS = 100
_NAMESPACE = "http://search.yahoo.com/mrss"
_MEDIA_TYPES = ("video", "audio", "image")
_CAPTION_TYPES = {
    "text/vtt": 3,
    "text/srt": 1,
    "application/srt": 1,
    "application/x-subrip": 1,
    "text/x-subrip": 1,
    "application/ttml+xml": 2,
    "application/ttaf+xml": 2,
}
_SHOWN = 60
_TAG = re.compile(r"(<[^<>]*>)")
_TAG_NAME = re.compile(r"</?\s*([A-Za-z0-9]*)")
_HIDDEN = ("script", "style")
_BREAKS = ("br", "p", "div", "li", "tr", "h1", "h2", "h3")


@dataclass(frozen=True, slots=True)
class Media:
    """A file of an item. ``checksum`` is as :mod:`~kaltura_provider.upload.sources.digest` takes it."""

    url: str
    size: int = 0
    pixels: int = 0
    height: int = 0
    bitrate: float = 0.0
    default: bool = False
    checksum: str = ""

    @property
    def rank(self) -> tuple[int, int, float]:
        """What tells a large file from a small one."""
        return self.size, self.pixels, self.bitrate


@dataclass(slots=True)
class RssItem:
    """An item.

    :param guid: what identifies it within its feed; empty without one.
    :param metadata: fields of its entry.
    :param sidecars: its subtitles and thumbnails, as in :mod:`kaltura_provider.hooks.sidecars`.
    :param problem: why it cannot be used.
    """

    line: int
    guid: str = ""
    title: str = ""
    published: dt.datetime | None = None
    media: list[Media] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    sidecars: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: str = ""

    def rendition(self, wanted: str) -> Media:
        """Return the file that becomes the entry: the ``largest``, the ``smallest`` or the ``default`` one."""
        if wanted == "default":
            return next((one for one in self.media if one.default), self.media[0])
        # A size that is not given makes no file the smallest. Of equal ones, the first counts.
        ranked = [one for one in self.media if any(one.rank)] or self.media
        return max(ranked, key=lambda one: one.rank) if wanted == "largest" else min(ranked, key=lambda one: one.rank)

    def renditions(self, source: Media, flavors: Mapping[int, str]) -> list[dict[str, Any]]:
        """Return the files that become renditions of the entry, as sidecar files: for each flavor, the largest.

        :param source: the file that becomes the entry.
        :param flavors: the flavors by the height of their files in pixels.
        """
        chosen: dict[str, Media] = {}
        for one in sorted(self.media, key=lambda one: one.rank, reverse=True):
            if one is not source and one.height in flavors:
                chosen.setdefault(flavors[one.height], one)
        return [
            {
                "kind": "rendition",
                "uri": one.url,
                "flavor": flavor,
                **({"checksum": one.checksum} if one.checksum else {}),
            }
            for flavor, one in chosen.items()
        ]


def read_items(content: bytes, uri: str) -> list[RssItem]:
    """Read a feed.

    :param uri: its address, which relative addresses in it are resolved against.
    :raises ValueError: it cannot be read at all; the message begins with the line.
    """
    reader = XmlItems(("rss", "feed", "RDF"), ("item", "entry"))
    elements = []
    for element in reader.read(content):
        elements.append(element)
        if len(elements) > MAX_ITEMS:
            raise ValueError(f"line {element.line}: has more than {MAX_ITEMS:,} items")
    entries = _parsed(content, uri)
    if len(entries) != len(elements):
        line = elements[0].line if elements else 1
        raise ValueError(f"line {line}: has {len(elements)} items, of which {len(entries)} can be read as RSS or Atom")
    return [_item(element, entry, uri) for element, entry in zip(elements, entries, strict=True)]


def _parsed(content: bytes, uri: str) -> list[Mapping[str, Any]]:
    """Return the items as feedparser reads them.

    :raises ValueError: feedparser is not installed.
    """
    try:
        import feedparser
    except ImportError:
        raise ValueError(
            "feedparser is not installed, which reads RSS; install the extra: "
            "pip install 'airflow-provider-kaltura[rss]'"
        ) from None
    base = "" if uri.startswith(("/", "file:", "s3://")) else uri
    # From a stream: a text or bytes could be taken for an address. Without a charset, the XML declaration counts.
    parsed = feedparser.parse(
        io.BytesIO(_in_utf8(content)),
        response_headers={"content-location": base, "content-type": "application/xml"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return list(parsed.entries)


def _in_utf8(content: bytes) -> bytes:
    """Return a document in UTF-16 as one in UTF-8, since feedparser expects the type of the answer to name UTF-16."""
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", content.decode("utf-16", errors="replace")).encode()


def _item(element: Element, entry: Mapping[str, Any], uri: str) -> RssItem:
    item = RssItem(element.line, guid=_cut(str(entry.get("id") or "").strip()))
    try:
        _read(item, element, entry, uri)
    except (KalturaConfigurationError, ValueError) as error:
        item.problem = printable(str(error))
    return item


def _read(item: RssItem, element: Element, entry: Mapping[str, Any], uri: str) -> None:
    """Fill in an item.

    :raises ValueError: a value cannot be used.
    """
    from kaltura_provider.services.entry.metadata import EntryMetadata

    # An item may have its media in a group, and the fields of the group then count for the item.
    groups = [child for child in element.children if _is_media(child, "group")]
    holders = [element, *groups]
    contents = [child for holder in holders for child in holder.children if _is_media(child, "content")]
    places = [*contents, *holders]
    item.title = " ".join((_text(places, "title") or _plain(entry, "title")).split())
    # feedparser gives the one for the other, with a warning, unless it is asked what there is.
    said = [entry[name] for name in ("published_parsed", "updated_parsed") if name in entry]
    item.published = _moment(next(filter(None, said), None))
    item.media = [_media(content, uri) for content in contents[:_MAX_FILES] if _is_playable(content)]
    if not item.media:
        item.media = _enclosures(entry, uri)
    tags = [*_words(places, "keywords"), *_terms(element)]
    fields: dict[str, Any] = {
        "name": item.title,
        "description": _text(places, "description") or _plain(entry, "summary"),
        "tags": list(dict.fromkeys(tags))[:_MAX_TAGS],
        "categories": _categories(item, places),
    }
    for name in ("name", "description"):
        if len(fields[name]) > MAX_TEXT:
            item.warnings.append(
                f"line {item.line}: its {name} has {len(fields[name]):,} characters; it is cut to {MAX_TEXT:,}"
            )
            fields[name] = _cut(fields[name])
    item.metadata = EntryMetadata.from_dict({name: value for name, value in fields.items() if value}).to_dict()
    item.sidecars = [*_thumbnail(places, uri), *_captions(item, places, uri)]


def _is_media(element: Element, name: str) -> bool:
    """Tell whether it is an element of Media RSS. Its namespace is written with and without a slash at its end."""
    return element.name == name and element.namespace.rstrip("/") == _NAMESPACE


def _is_playable(content: Element) -> bool:
    """Tell whether it is a file: not a player, and not a web page."""
    said = content.attributes
    kind = said.get("type", "").partition("/")[0].lower() or said.get("medium", "").lower()
    return "url" in said and (kind in ("", *_MEDIA_TYPES, "application") and said.get("medium", "") != "executable")


def _media(content: Element, uri: str) -> Media:
    from kaltura_provider.upload.sources.digest import checksum_of

    said = content.attributes
    checksums = [child for child in content.children if _is_media(child, "hash")]
    try:
        checksum = checksum_of(checksums[0].attributes.get("algo", "md5"), checksums[0].text) if checksums else ""
    except ValueError as error:
        raise ValueError(f"media:hash in line {checksums[0].line}: {error}") from None
    return Media(
        _address(said["url"], uri),
        int(_number(said.get("fileSize"))),
        int(_number(said.get("width")) * _number(said.get("height"))),
        int(_number(said.get("height"))),
        _number(said.get("bitrate")),
        said.get("isDefault", "").strip().lower() == "true",
        checksum,
    )


def _enclosures(entry: Mapping[str, Any], uri: str) -> list[Media]:
    media = []
    for one in list(entry.get("enclosures") or ())[:_MAX_FILES]:
        url, kind = str(one.get("href") or ""), str(one.get("type") or "").lower()
        if url and kind.partition("/")[0] in ("", *_MEDIA_TYPES, "application"):
            media.append(Media(_address(url, uri), int(_number(one.get("length")))))
    return media


def _address(url: str, uri: str) -> str:
    """Return the whole address of a file.

    :raises ValueError: it is not a web address. A feed from the web names no objects and no files of this deployment.
    """
    from kaltura_provider.feeds.fields.addresses import address_problem

    whole = urljoin(uri, url.strip()) if uri.startswith(("http://", "https://")) else url.strip()
    if not whole.lower().startswith(("http://", "https://")):
        raise ValueError(f"{printable(whole, _SHOWN)!r} is not a web address; media of a feed is at https://...")
    if problem := address_problem(whole):
        raise ValueError(problem)
    return whole


def _number(text: Any) -> float:
    """Return a number of a feed; what is none counts as nothing."""
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*", str(text or ""), re.ASCII)
    return float(found[1]) if found else 0.0


def _moment(parsed: Any) -> dt.datetime | None:
    if not parsed:
        return None
    try:
        year, month, day, hour, minute, second = (int(part) for part in parsed[:6])
        return dt.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=dt.UTC)
    except (TypeError, ValueError):
        return None


def _elements(places: Iterable[Element], name: str) -> list[Element]:
    return [child for place in places for child in place.children if _is_media(child, name)]


def _text(places: Iterable[Element], name: str) -> str:
    """Return the first text of an element of Media RSS: nearest to the media first."""
    for child in _elements(places, name):
        if child.text:
            return _without_markup(child.text) if child.attributes.get("type") == "html" else child.text
    return ""


def _plain(entry: Mapping[str, Any], name: str) -> str:
    text = str(entry.get(name) or "").strip()
    kind = str((entry.get(f"{name}_detail") or {}).get("type") or "")
    return _without_markup(text) if "html" in kind else text


def _words(places: Iterable[Element], name: str) -> list[str]:
    return [word for child in _elements(places, name) for part in child.text.split(",") if (word := part.strip())]


def _terms(element: Element) -> list[str]:
    """Return what the categories of RSS and Atom say, as tags. A comma would separate two of them."""
    named = [child for child in element.all("category") if not _is_media(child, "category")]
    terms = [child.attributes.get("term") or child.text for child in named]
    return [tag for term in terms if (tag := term.replace(",", " ").strip())]


def _categories(item: RssItem, places: Iterable[Element]) -> list[str]:
    categories = []
    for child in _elements(places, "category")[:_MAX_TAGS]:
        name = child.text or child.attributes.get("label", "").strip()
        if "," in name:
            item.warnings.append(
                f"line {child.line}: category {printable(name, _SHOWN)!r} has a comma, which Kaltura does not allow; "
                "it is left out"
            )
        elif name:
            categories.append(name)
    return list(dict.fromkeys(categories))


def _thumbnail(places: Iterable[Element], uri: str) -> list[dict[str, Any]]:
    """Return the first thumbnail, which Media RSS has in the order of importance."""
    found = next((child for child in _elements(places, "thumbnail") if child.attributes.get("url")), None)
    return [{"kind": "thumbnail", "uri": _address(found.attributes["url"], uri), "default": True}] if found else []


def _captions(item: RssItem, places: Iterable[Element], uri: str) -> list[dict[str, Any]]:
    """Return the subtitles; one that cannot be used carries its error."""
    from kaltura_provider.services.caption_asset import caption_object

    found: dict[str, dict[str, Any]] = {}
    for child in (*_elements(places, "subTitle"), *_elements(places, "subtitle")):
        said = child.attributes
        if not said.get("href"):
            item.warnings.append(f"line {child.line}: subTitle has no href; it is left out")
            continue
        url = _address(said["href"], uri)
        if url in found or len(found) >= _MAX_FILES:
            continue
        file: dict[str, Any] = {"kind": "caption", "uri": url}
        kind = _CAPTION_TYPES.get(said.get("type", "").partition(";")[0].strip().lower())
        try:
            values = caption_object(re.split(r"[?#]", url)[0], language=said.get("lang"), format=kind)
            file["values"] = {name: value for name, value in values.items() if name != "objectType"}
        except KalturaConfigurationError as error:
            file["error"] = printable(f"subTitle in line {child.line}: {error}")
        found[url] = file
    return list(found.values())


def _cut(text: str) -> str:
    return text[:MAX_TEXT]


def _without_markup(text: str) -> str:
    """Return the text of a piece of HTML. It takes time in proportion to its length, whatever it holds."""
    parts: list[str] = []
    hidden = ""
    for part in _TAG.split(text[: 4 * MAX_TEXT]):
        tag = _TAG_NAME.match(part)
        if tag is None or not _TAG.fullmatch(part):
            parts.append("" if hidden else part)
        elif hidden:
            hidden = "" if tag[0].lower() == f"</{hidden}" else hidden
        elif (name := tag[1].lower()) in _HIDDEN:
            hidden = name
        elif name in _BREAKS:
            parts.append("\n")
    lines = (line.strip() for line in html.unescape("".join(parts)).splitlines())
    return "\n".join(line for line in lines if line)
