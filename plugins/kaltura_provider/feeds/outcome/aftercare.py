"""What happens to the objects of a run at their source: tagged, moved or deleted, once Kaltura holds them.

An object is touched only if Kaltura has, at this moment, a READY entry with exactly its bytes, whose source flavor is
READY and of equal size, and if Kaltura holds the sidecar files of the item as they are. Objects that failed are touched
only if no retry can help and the failure is about the item.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.hooks.s3_changes import S3Changes

__all__ = ["Aftercare", "care_for", "is_about_the_item"]

log = logging.getLogger(__name__)

_WORKERS = 8
_IDS_A_REQUEST = 50
# Other failures can be about the account or the deployment, and then about every item.
_ABOUT_THE_ITEM = ("source", "sidecar", "refused", "import_failed", "size_mismatch", "wait")
_TAG, _ENTRY_TAG = "kaltura", "kaltura-entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """What to do with objects.

    :param prefix: the source, ``s3://bucket/prefix``; a moved object keeps its path below it.
    :param on_success: ``keep``, ``tag``, ``move`` or ``delete``. :param on_failure: ``keep``, ``tag`` or ``move``.
    :param move_to: an S3 prefix. :param move_failed_to: an S3 prefix.
    :raises ValueError: a prefix is missing, or a run would list it again.
    """

    prefix: str
    on_success: str = "keep"
    on_failure: str = "keep"
    move_to: str | None = None
    move_failed_to: str | None = None

    def __post_init__(self) -> None:
        for action, target, name in (
            (self.on_success, self.move_to, "move_to"),
            (self.on_failure, self.move_failed_to, "move_failed_to"),
        ):
            if action != "move":
                continue
            if not target or not target.startswith("s3://"):
                raise ValueError(f"source.{name} is missing; write where objects are moved to: s3://bucket/prefix/")
            if target.startswith(self.prefix) or f"{target.rstrip('/')}/".startswith(self.prefix):
                raise ValueError(f"source.{name} {target} is below {self.prefix}, where runs would find the objects")

    def target(self, uri: str, base: str | None) -> str:
        """Return where an object is moved to."""
        path = uri.removeprefix(self.prefix).lstrip("/")
        return f"{str(base).rstrip('/')}/{path}"


def care_for(
    care: Aftercare,
    good: Sequence[Mapping[str, Any]],
    failed: Sequence[Mapping[str, Any]],
    client: KalturaClient,
    s3: S3Changes,
) -> tuple[int, dict[str, str]]:
    """Tag, move or delete the objects of a run.

    :param good: references of the items that are in Kaltura, with ``files``: the other files of the item with the
        ETag of each, or an empty one. :param failed: the items that are not, with ``reason``, ``retry_helps``, ``kind``
        and ``files``.
    :return: how many objects were touched or are gone, and why others could not be, by address.
    :raises KalturaError: Kaltura cannot be asked.
    """
    from kaltura_provider.api.threads import in_threads

    jobs: list[Callable[[], str | None]] = []
    uris: list[str] = []
    if care.on_success != "keep":
        below = [ref for ref in good if str(ref["uri"]).startswith(care.prefix)]
        held = _held(client, below)
        if len(held) < len(below):
            text = "The objects of %d items stay: Kaltura has no READY entry that holds exactly these files."
            log.info(text, len(below) - len(held))
        for ref in held:
            jobs.append(_job(care, s3, ref, care.on_success, care.move_to))
            uris.append(str(ref["uri"]))
    if care.on_failure != "keep":
        for item in failed:
            if str(item["uri"]).startswith(care.prefix) and is_about_the_item(item):
                jobs.append(_job(care, s3, item, care.on_failure, care.move_failed_to))
                uris.append(str(item["uri"]))
    problems = in_threads(lambda job: job(), jobs, workers=_WORKERS)
    named = {uri: problem for uri, problem in zip(uris, problems, strict=True) if problem}
    return len(jobs) - len(named), named


def _held(client: KalturaClient, refs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the references whose entries hold exactly these bytes, as Kaltura says now."""
    from kaltura_provider.api.enums import EntryStatus, FlavorAssetStatus
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.services.flavor_asset import list_flavors
    from kaltura_provider.services.paging import list_all

    held = []
    for start in range(0, len(refs), _IDS_A_REQUEST):
        part = {str(ref["entry_id"]): ref for ref in refs[start : start + _IDS_A_REQUEST] if ref.get("entry_id")}
        if not part:
            continue
        conditions = {"idIn": ",".join(part)}
        entries = {str(values["id"]): EntryView.of(values) for values in list_all(client, "baseEntry", conditions)}
        flavors = list_flavors(client, list(part))
        for entry_id, ref in part.items():
            entry = entries.get(entry_id)
            whole = any(
                flavor.original and flavor.status == FlavorAssetStatus.READY and flavor.size == ref["size"]
                for flavor in flavors.get(entry_id, ())
            )
            kept_another = any(sidecar.get("note") for sidecar in ref.get("sidecars") or ())
            same = entry and entry.status == EntryStatus.READY and entry.content_id == ref["content_id"]
            if same and whole and not kept_another:
                held.append(ref)
    return held


def is_about_the_item(item: Mapping[str, Any]) -> bool:
    """Tell whether a failed item can never be ingested as it is, for a reason that is its own."""
    return not item.get("retry_helps") and item.get("kind") in _ABOUT_THE_ITEM


def _job(
    care: Aftercare, s3: S3Changes, item: Mapping[str, Any], action: str, base: str | None
) -> Callable[[], str | None]:
    """Return what is to be done for one item: it returns why it could not be done."""
    from kaltura_provider.upload.sources.errors import SourceError

    def run() -> str | None:
        try:
            media = s3.head(str(item["uri"]))
            if media is not None and not _is_unchanged(item, media):
                return f"{printable(item['uri'])} has changed since it was ingested; it stays as it is"
            files = {uri: s3.head(uri) for uri in item["files"]}
            for uri, head in files.items():
                if head is not None and item["files"][uri] not in ("", str(head["ETag"]).strip('"')):
                    return f"{printable(uri)} has changed since it was ingested; its item stays as it is"
            # The media file comes last: as long as it is there, the next run sees that there is more to do.
            for uri, head in {**files, str(item["uri"]): media}.items():
                if head is not None:
                    _act(care, s3, uri, head, action, base, item)
        except SourceError as error:
            return str(error)
        return None

    return run


def _is_unchanged(item: Mapping[str, Any], head: Mapping[str, Any]) -> bool:
    from kaltura_provider.ingest.identity import content_id

    if not item.get("content_id"):  # it failed before anything was known of it
        return True
    versions = (head["ETag"], head.get("VersionId"))
    known = [content_id(item["item_id"], head["ContentLength"], str(version)) for version in versions if version]
    return item["content_id"] in known


def _act(
    care: Aftercare,
    s3: S3Changes,
    uri: str,
    head: Mapping[str, Any],
    action: str,
    base: str | None,
    item: Mapping[str, Any],
) -> None:
    if action == "tag":
        entry = {_ENTRY_TAG: str(item["entry_id"])} if item.get("entry_id") else {}
        s3.tag(uri, {_TAG: "failed" if "reason" in item else "ingested", **entry})
    elif action == "move":
        s3.move(uri, head, care.target(uri, base))
    elif action == "delete":
        s3.delete(uri, str(head["ETag"]))
