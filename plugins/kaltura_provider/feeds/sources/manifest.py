"""``manifest``: a CSV, JSON, JSON Lines or XML file that lists media and the metadata of their entries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from kaltura_provider.feeds.fields.types import DocumentAddress, SourceFields, about
from kaltura_provider.feeds.sources.found import Found, FoundItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.feeds.sources.found import Search
    from kaltura_provider.feeds.sources.manifest_rows import Row, Rows

__all__ = ["BAD_ROW", "Manifest"]

BAD_ROW = "rows that cannot be used"

_SUFFIXES = {"csv": "csv", "tsv": "csv", "json": "json", "jsonl": "jsonl", "ndjson": "jsonl", "xml": "xml"}
_ACTIONS = {"1": "add", "add": "add", "2": "update", "update": "update", "3": "delete", "delete": "delete"}
_TEXTS = ("name", "description", "tags", "categories", "reference_id", "user_id", "partner_data")


class Manifest(SourceFields):
    """The media that a CSV, JSON or JSON Lines file or Kaltura's bulk upload XML lists."""

    type: Annotated[Literal["manifest"], about("`manifest`")]
    uri: DocumentAddress
    format: Annotated[
        Literal["csv", "json", "jsonl", "xml"] | None,
        about(
            "`csv`, `json` (a list of objects or addresses), `jsonl` (an object or address a line) or `xml` (Kaltura's "
            "bulk upload XML)",
            default="from the name: `.csv`, `.tsv`, `.json`, `.jsonl`, `.ndjson`, `.xml`, each also with `.gz`",
        ),
    ] = None
    missing: Annotated[
        Literal["skip", "fail", "retry"],
        about(
            "What to do when the file does not exist: `fail`, `skip` the run, or `retry` as often as `retries` says "
            "and then fail"
        ),
    ] = "fail"
    allow: Annotated[
        list[Literal["update", "delete"]], about("What rows may do besides adding entries: `[update, delete]`")
    ] = []

    @property
    def summary(self) -> str:
        """The source in one line of text."""
        from kaltura_provider.hooks.sources import shown_address

        return shown_address(self.uri)

    def find(self, search: Search) -> Found:
        """Return one item per row, in order. Rows with errors are left out and reported with their line.

        :raises SourceError: the file cannot be read.
        :raises ValueError: the file does not have the expected format.
        """
        from kaltura_provider.hooks.sources import shown_address

        found = Found(f"in {shown_address(self.uri)}")
        content = self._read(search, found)
        if content is None:
            return found
        try:
            rows = self._rows(content)
        except ValueError as error:
            raise ValueError(f"The manifest {shown_address(self.uri)} cannot be read: {error}") from None
        for name, line in rows.unknown.items():
            what = "Element" if self._format() == "xml" else "Column"
            shown = name if what == "Element" else repr(name)
            found.warnings.append(f"{what} {shown_address(shown)} (line {line}) is unknown and ignored.")
        found.warnings += rows.notes
        if rows.bad:
            found.left_out[BAD_ROW] += rows.bad
        seen: dict[str, int] = {}
        for row in rows.rows:
            try:
                self._take(row, search, found, seen)
            except ValueError as error:
                found.left_out[BAD_ROW].append(f"line {row.line}: {error}")
        return found

    def _rows(self, content: bytes) -> Rows:
        from kaltura_provider.feeds.sources.manifest_rows import read_rows
        from kaltura_provider.feeds.sources.manifest_xml import read_xml

        kind = self._format()
        return read_xml(content, self.uri) if kind == "xml" else read_rows(content, kind)

    def _read(self, search: Search, found: Found) -> bytes | None:
        """Return the content of the file, or ``None`` if it may be missing and is."""
        from kaltura_provider.feeds.sources.manifest_rows import MAX_BYTES
        from kaltura_provider.feeds.sources.probe import not_there_yet
        from kaltura_provider.hooks.sources import read_document
        from kaltura_provider.upload.sources.errors import SourceNotFound

        try:
            return read_document(self.uri, MAX_BYTES, aws_conn_id=search.aws_conn_id, http_conn_id=search.http_conn_id)
        except SourceNotFound as error:
            if self.missing == "retry" and not search.last_try:
                raise not_there_yet([error]) from None
            if self.missing != "skip":
                raise
            found.warnings.append(f"The manifest does not exist: {error} (missing: skip).")
            return None

    def _take(self, row: Row, search: Search, found: Found, seen: dict[str, int]) -> None:
        """Add the item or the change of a row.

        :raises ValueError: the row cannot be used.
        """
        action = _action(row)
        if action == "add":
            found.items.append(_item(row, search, seen))
        elif action in self.allow:
            found.changes.append(_change(row, action, search))
            if row.sidecars:
                found.warnings.append(
                    f"Line {row.line}: the thumbnails, subtitles and attachments of an {action} are ignored; they are "
                    "attached where an item is added."
                )
        else:
            raise ValueError(f"action {action} is not allowed; list it in source.allow of the feed")

    def _format(self) -> str:
        if self.format:
            return self.format
        path = self.uri if self.uri.startswith("s3://") else re.split(r"[?#]", self.uri)[0]
        suffix = path.lower().removesuffix(".gz").rpartition(".")[2]
        if suffix not in _SUFFIXES:
            raise ValueError("its name does not give its format; set source.format to csv, json, jsonl or xml")
        return _SUFFIXES[suffix]


def _item(row: Row, search: Search, seen: dict[str, int]) -> FoundItem:
    """Return the item of a row.

    :raises ValueError: the row cannot be used.
    """
    from kaltura_provider.feeds.fields.addresses import comparable_address

    values = {name: value for name, value in row.values.items() if name != "action"}
    if "entry_id" in values:
        raise ValueError("entry_id cannot be set by action add; remove it")
    url = _address(values.pop("url", None))
    identity = comparable_address(url)
    if identity in seen:
        raise ValueError(f"repeats the address of line {seen[identity]}")
    metadata = _metadata(values, url, search)
    seen[identity] = row.line
    return FoundItem(url, metadata, checksum=row.checksum, sidecars=tuple(row.sidecars))


def _action(row: Row) -> str:
    action = str(row.values.get("action", "add")).lower()
    if action not in _ACTIONS:
        raise ValueError(f"action {action!r} is not 1 (add), 2 (update) or 3 (delete)")
    return _ACTIONS[action]


def _change(row: Row, action: str, search: Search) -> dict[str, Any]:
    """Return the change of a row.

    :raises ValueError: the row cannot be used.
    """
    from kaltura_provider.api.arguments import entry_id
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.hooks.sealing import seal_address
    from kaltura_provider.services.entry.changes import check_changes

    values = {name: value for name, value in row.values.items() if name not in ("action", "media_type")}
    url = values.pop("url", None)
    change: dict[str, Any] = {"line": row.line, "action": action}
    if "entry_id" in values:
        change["entry_id"] = str(values.pop("entry_id"))
    elif "reference_id" in values:
        change["reference_id"] = str(values.pop("reference_id"))
    else:
        change["url"] = seal_address(_address(url))
    try:
        if "entry_id" in change:
            entry_id(change["entry_id"], "entryId")
        if action == "update":
            change["metadata"] = _metadata(values, str(url or ""), search)
            check_changes(change["metadata"])
    except KalturaConfigurationError as error:
        raise ValueError(str(error)) from None
    return change


def _address(url: Any) -> str:
    from kaltura_provider.feeds.fields.addresses import address_problem

    if not isinstance(url, str):
        raise ValueError("url is missing")
    if problem := address_problem(url):
        raise ValueError(f"url: {problem}")
    return url


def _metadata(values: Mapping[str, Any], url: str, search: Search) -> dict[str, Any]:
    """Return the checked fields of an entry, with placeholders filled in.

    :raises ValueError: a field is not valid.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.feeds.fields.entry_fields import checked_fields, split_categories
    from kaltura_provider.feeds.fields.placeholders import placeholder_values

    known = placeholder_values(url, search.day)
    fields: dict[str, Any] = {}
    try:
        for name, value in values.items():
            # A value that is filled in can have a comma, so categories are separated before.
            items = split_categories(value) if name == "categories" else value
            fields[name] = _filled(items, known, name) if name in _TEXTS else items
    except KalturaConfigurationError as error:
        raise ValueError(str(error)) from None
    return checked_fields(fields, search.timezone)


def _filled(value: Any, known: Mapping[str, str], name: str) -> Any:
    from kaltura_provider.feeds.fields.placeholders import fill

    if isinstance(value, list):
        return [fill(item, known, field=name).strip() for item in value]
    return fill(str(value), known, field=name)
