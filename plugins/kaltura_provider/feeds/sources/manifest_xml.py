"""The items of Kaltura's bulk upload XML, by its public schema, as rows of a manifest."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import printable
from kaltura_provider.feeds.sources.xml_items import XmlItems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaltura_provider.feeds.sources.manifest_rows import Rows
    from kaltura_provider.feeds.sources.xml_items import Element

__all__ = ["read_xml"]

# Elements of an item that hold one text, by the field they are for.
_TEXTS = {
    "action": "action",
    "entryId": "entry_id",
    "referenceId": "reference_id",
    "referenceID": "reference_id",
    "userId": "user_id",
    "name": "name",
    "title": "name",
    "description": "description",
    "partnerData": "partner_data",
    "accessControlId": "access_control_id",
    "conversionProfileId": "conversion_profile_id",
    "startDate": "start_date",
    "endDate": "end_date",
    "templateEntryId": "template_entry_id",
    "parentEntryId": "parent_entry_id",
}
_NUMBERS = ("licenseType", "partnerSortData")
_LISTS = {"tags": ("tag", "tags"), "categories": ("category", "categories"), "adminTags": ("tag", "admin_tags")}
# Containers of files, by the element in them; older files have the elements without the container.
_FILES = {"contentAssets": "content", "thumbnails": "thumbnail", "subTitles": "subTitle", "attachments": "attachment"}
_SIDECARS = {"thumbnail": "thumbnail", "subTitle": "caption", "attachment": "attachment"}
_STRUCTURE = ("mrss", "channel")
# Where content is: the attribute that says so. A path is one beside the XML file, unless it begins with a slash.
_RESOURCES = {
    "urlContentResource": "url",
    "dropFolderFileContentResource": "filePath",
    "serverFileContentResource": "filePath",
}
_PARTS = {
    "content": ("tags", *_RESOURCES),
    "thumbnail": ("tags", *_RESOURCES),
    "subTitle": ("tags", *_RESOURCES),
    "attachment": ("tags", "filename", "title", "description", *_RESOURCES),
}
_MEDIA_CLIP = ("1", "-1", "mediaClip")
_SOURCE_FLAVOR = ("", "0", "source")
_SHOWN = 60


def read_xml(content: bytes, uri: str) -> Rows:
    """Read a document.

    :param content: the content of the file, which can be compressed with gzip.
    :param uri: its address; paths of files in it are beside it.
    :raises ValueError: it cannot be read at all, or has too many items; the message names the line.
    """
    from kaltura_provider.feeds.sources.manifest_rows import Row, Rows, unpacked

    rows = Rows()
    reader = XmlItems(("mrss",), ("item",))
    for element in reader.read(unpacked(content)):
        item = _Item(element, uri)
        try:
            values = item.values()
        except (KalturaConfigurationError, ValueError) as error:
            rows.reject(element.line, printable(str(error)))
        else:
            rows.add(Row(element.line, values, item.checksum, item.sidecars))
        rows.notes += item.notes
        for name, line in item.unknown.items():
            rows.unknown.setdefault(name, line)
    for name, line in reader.outside.items():
        if name not in _STRUCTURE:
            rows.unknown.setdefault(name, line)
    return rows


class _Item:
    """One item.

    :param unknown: the elements that mean nothing here, each with its line.
    :param notes: what else the author of the feed should know.
    """

    def __init__(self, element: Element, uri: str) -> None:
        self._element, self._uri = element, uri
        self.unknown: dict[str, int] = {}
        self.notes: list[str] = []
        self.checksum = ""
        self.sidecars: list[dict[str, Any]] = []

    def values(self) -> dict[str, Any]:
        """Return its values by our names.

        :raises ValueError: one of them cannot be used.
        """
        values: dict[str, Any] = {}
        extra: dict[str, int] = {}
        contents: list[Element] = []
        for child in self._element.children:
            if child.name in _TEXTS:
                values[_TEXTS[child.name]] = child.text
            elif child.name in _LISTS:
                inside, field = _LISTS[child.name]
                values[field] = self._listed(child, inside)
            elif child.name in _NUMBERS:
                extra[child.name] = _number(child)
            elif child.name == "type":
                _check_type(child)
            elif child.name == "media":
                values |= self._media(child)
            else:
                contents += self._files(child)
        values["url"] = self._url(contents)
        if extra:
            values["extra"] = extra
        return {name: value for name, value in values.items() if value not in ("", [], None)}

    def _listed(self, element: Element, inside: str) -> list[str]:
        self._check_known(element, (inside,))
        return [child.text for child in element.all(inside) if child.text]

    def _media(self, element: Element) -> dict[str, str]:
        self._check_known(element, ("mediaType",))
        kind = element.first("mediaType")
        return {"media_type": kind.text} if kind is not None else {}

    def _files(self, element: Element) -> Iterator[Element]:
        """Yield the contents of an item; keep its sidecar files, and name what is unknown."""
        inside = _FILES.get(element.name)
        if inside is not None:
            self._check_known(element, (inside, "action"))
        files = element.all(inside) if inside else [element] if element.name in _PARTS else []
        if not inside and not files:
            self._name_unknown(element)
        for file in files:
            self._check_known(file, _PARTS[file.name])
            if file.name == "content":
                yield file
            else:
                self.sidecars.append(self._sidecar(file))

    def _url(self, contents: list[Element]) -> str:
        """Return the address of the source among the contents; keep the others as its renditions."""
        if not contents:
            return ""
        source = next((one for one in contents if not _flavor(one)), contents[0])
        for other in contents:
            if other is source:
                continue
            if flavor := _flavor(other):
                self.sidecars.append({"kind": "rendition", **self._file(other), "flavor": flavor})
            else:
                self.notes.append(
                    f"Line {other.line}: this <content> is a second source of the item and is ignored; give it the "
                    "flavorParamsId or flavorParams of a rendition."
                )
        address, self.checksum = self._resource(source)
        return address

    def _file(self, file: Element) -> dict[str, str]:
        """Return ``uri`` of a file beside the source, and ``checksum`` if it has one.

        :raises ValueError: it names no file that can be read.
        """
        from kaltura_provider.feeds.fields.addresses import address_problem

        address, checksum = self._resource(file)
        if problem := address_problem(address):
            raise ValueError(f"<{file.name}> in line {file.line}: {problem}")
        return {"uri": address, **({"checksum": checksum} if checksum else {})}

    def _resource(self, file: Element) -> tuple[str, str]:
        """Return the address of a file and its checksum.

        :raises ValueError: it names no file that can be read.
        """
        from kaltura_provider.upload.sources.digest import checksum_of

        found = next((child for child in file.children if child.name in _RESOURCES), None)
        if found is None:
            other = next((child.name for child in file.children if child.name.endswith("Resource")), "nothing")
            known = ", ".join(_RESOURCES)
            raise ValueError(f"<{file.name}> in line {file.line} has {printable(other, _SHOWN)}; give one of {known}")
        place = found.attributes.get(_RESOURCES[found.name], "").strip()
        if not place:
            raise ValueError(f"<{found.name}> in line {found.line} has no {_RESOURCES[found.name]}")
        if found.name != "urlContentResource":
            place = self._beside(place, found.line)
        said = found.first("fileChecksum")
        if said is None or not said.text:
            return place, ""
        try:
            return place, checksum_of(said.attributes.get("type", "md5"), said.text)
        except ValueError as error:
            raise ValueError(f"<fileChecksum> in line {said.line}: {error}") from None

    def _beside(self, path: str, line: int) -> str:
        """Return the address of a file that is named by its path."""
        if path.startswith("/"):
            return path
        if ".." in path.split("/"):
            shown = printable(path, _SHOWN)
            raise ValueError(f"filePath {shown!r} in line {line} leads out of the folder; give the path without '..'")
        own = re.split(r"[?#]", self._uri)[0] if self._uri.startswith(("http://", "https://")) else self._uri
        return posixpath.join(posixpath.dirname(own), path)

    def _sidecar(self, file: Element) -> dict[str, Any]:
        """Return a sidecar file; one that cannot be used carries its error."""
        said: dict[str, Any] = {"kind": _SIDECARS[file.name], **self._file(file)}
        if file.attributes.get("isDefault", "").strip().lower() in ("true", "1"):
            said["default"] = True
        try:
            said["values"] = _asset(file, posixpath.basename(re.split(r"[?#]", said["uri"])[0]))
        except KalturaConfigurationError as error:
            said["error"] = printable(f"<{file.name}> in line {file.line}: {error}")
        return said

    def _check_known(self, element: Element, known: tuple[str, ...]) -> None:
        for child in element.children:
            if child.name not in known and not child.name.endswith("Resource"):
                self._name_unknown(child)

    def _name_unknown(self, element: Element) -> None:
        self.unknown.setdefault(printable(f"<{element.name}>", _SHOWN), element.line)


def _flavor(content: Element) -> str:
    """Return the id or name of the flavor that a content is; empty if it is the source."""
    said = content.attributes
    flavor = (said.get("flavorParamsId") or said.get("flavorParams") or "").strip()
    return "" if flavor.lower() in _SOURCE_FLAVOR else flavor


def _asset(file: Element, file_name: str) -> dict[str, Any]:
    """Return the properties of the asset that a sidecar file becomes, under Kaltura's names.

    :raises KalturaConfigurationError: the language or the format is unknown.
    """
    from kaltura_provider.services.attachment_asset import attachment_object
    from kaltura_provider.services.caption_asset import caption_object

    said = file.attributes
    tags = file.first("tags")
    values: dict[str, Any] = {}
    if tags is not None and (words := [tag.text for tag in tags.all("tag") if tag.text]):
        values["tags"] = ",".join(words)
    if file.name == "subTitle":
        values |= caption_object(
            file_name, language=said.get("lang"), label=said.get("label"), format=said.get("format")
        )
    elif file.name == "attachment":
        texts = {name: child.text for name in ("filename", "title") if (child := file.first(name)) is not None}
        named = texts.get("filename") or file_name
        values |= attachment_object(named, title=texts.get("title"), format=said.get("format"))
    values.pop("objectType", None)
    return values


def _number(element: Element) -> int:
    if not re.fullmatch(r"-?\d{1,10}", element.text, re.ASCII):
        shown = printable(repr(element.text), _SHOWN)
        raise ValueError(f"<{element.name}> {shown} in line {element.line} is not a whole number")
    return int(element.text)


def _check_type(element: Element) -> None:
    if element.text not in _MEDIA_CLIP:
        shown = printable(repr(element.text), _SHOWN)
        raise ValueError(f"<type> {shown} in line {element.line} is not 1 (media), which bulk upload XML is for")
