"""What happens to the objects of a run at their source: tagged, moved or deleted, once Kaltura holds them.

An object is touched only if Kaltura has, at this moment, a READY entry with exactly its bytes, whose source flavor is
READY and of equal size, and if Kaltura holds the sidecar files of the item as they are. Objects that failed are touched
only if no retry can help and the failure is about the item. A sidecar file of several items stays until the last of
them goes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.hooks.s3_changes import S3Changes
    from kaltura_provider.ingest.marks import EntryView

__all__ = ["Aftercare", "care_for", "is_about_the_item"]

log = logging.getLogger(__name__)

_WORKERS = 8
_IDS_A_REQUEST = 50
# Other failures can be about the account or the deployment, and then about every item.
_ABOUT_THE_ITEM = ("source", "sidecar", "refused", "size_mismatch", "wait")
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

    :param good: references of the items that are in Kaltura, with ``files``: the other files of the item, as
        :func:`~kaltura_provider.feeds.planning.plan.files_of` returns them. :param failed: the items that are not, with
        ``reason``, ``retry_helps``, ``kind``, ``files`` and ``etag``, that of the listing.
    :return: how many objects were touched or are gone, and why others could not be, by address.
    :raises KalturaError: Kaltura cannot be asked.
    """
    from kaltura_provider.api.threads import in_threads

    jobs: list[_Job] = []
    if care.on_success != "keep":
        below = [ref for ref in good if str(ref["uri"]).startswith(care.prefix)]
        held = _held(client, below)
        if len(held) < len(below):
            text = "The objects of %d items stay: Kaltura has no READY entry that holds exactly these files."
            log.info(text, len(below) - len(held))
        jobs += [_Job(care, s3, ref, care.on_success, care.move_to) for ref in held]
    if care.on_failure != "keep":
        for item in failed:
            if str(item["uri"]).startswith(care.prefix) and is_about_the_item(item):
                jobs.append(_Job(care, s3, item, care.on_failure, care.move_failed_to))
    named = _same_targets(jobs)
    free = [job for job in jobs if job.uri not in named]
    # Of items that share a file, the last one takes it along, so they cannot be worked on at once.
    alone = [job for job in free if not job.shares]
    together = [job for job in free if job.shares]
    problems = [*in_threads(_Job.run, alone, workers=_WORKERS), *(job.run() for job in together)]
    named |= {job.uri: problem for job, problem in zip([*alone, *together], problems, strict=True) if problem}
    return len(jobs) - len(named), named


def _same_targets(jobs: Sequence[_Job]) -> dict[str, str]:
    """Return why items cannot be moved whose objects would get the place of another one, by address."""
    taken: dict[str, str] = {}
    named: dict[str, str] = {}
    for job in jobs:
        for uri, target in job.targets.items():
            if taken.setdefault(target, uri) != uri:
                text = f"{printable(uri)} cannot be moved: {printable(taken[target])} has the same target, {target}"
                named[job.uri] = f"{text}; rename one of them"
    return named


def _held(client: KalturaClient, refs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the references whose entries hold exactly these bytes, as Kaltura says now."""
    from kaltura_provider.ingest.marks import EntryView
    from kaltura_provider.services.flavor_asset import list_flavors
    from kaltura_provider.services.paging import list_all

    held = []
    with_entry = [ref for ref in refs if ref.get("entry_id")]
    for start in range(0, len(with_entry), _IDS_A_REQUEST):
        part = with_entry[start : start + _IDS_A_REQUEST]
        ids = list(dict.fromkeys(str(ref["entry_id"]) for ref in part))
        entries = {
            str(values["id"]): EntryView.of(values) for values in list_all(client, "baseEntry", {"idIn": ",".join(ids)})
        }
        flavors = list_flavors(client, ids)
        for ref in part:
            entry = entries.get(str(ref["entry_id"]))
            if entry is not None and _holds(entry, flavors.get(entry.id, ()), ref):
                held.append(ref)
    return held


def _holds(entry: EntryView, flavors: Iterable[Any], ref: Mapping[str, Any]) -> bool:
    from kaltura_provider.api.enums import EntryStatus, FlavorAssetStatus
    from kaltura_provider.hooks.metadata import was_given

    whole = any(
        flavor.original and flavor.status == FlavorAssetStatus.READY and flavor.size == ref["size"]
        for flavor in flavors
    )
    kept_another = any(sidecar.get("note") for sidecar in ref.get("sidecars") or ())
    told = all(was_given(entry.metadata, file["metadata"]) for file in ref["files"].values() if file.get("metadata"))
    same = entry.status == EntryStatus.READY and entry.content_id == ref["content_id"]
    return same and whole and told and not kept_another


def is_about_the_item(item: Mapping[str, Any]) -> bool:
    """Tell whether a failed item can never be ingested as it is, for a reason that is its own.

    What Kaltura cannot fetch may be whole, in a store that Kaltura cannot reach.
    """
    from kaltura_provider.waiting.conditions.entry import NOT_IMPORTED

    own = not item.get("retry_helps") and item.get("kind") in _ABOUT_THE_ITEM
    return own and NOT_IMPORTED not in str(item.get("reason"))


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be done with the objects of one item.

    :param base: where they are moved to.
    """

    care: Aftercare
    s3: S3Changes
    item: Mapping[str, Any]
    action: str
    base: str | None

    @property
    def uri(self) -> str:
        """The media file."""
        return str(self.item["uri"])

    @property
    def shares(self) -> bool:
        """Whether a file of it is also one of another item."""
        return any(file.get("owners") for file in self.item["files"].values())

    @property
    def targets(self) -> dict[str, str]:
        """Where its objects are moved to."""
        uris = (*self.item["files"], self.uri) if self.action == "move" else ()
        return {uri: self.care.target(uri, self.base) for uri in uris}

    def run(self) -> str | None:
        """Do it, or return why that is not possible."""
        from kaltura_provider.upload.sources.errors import SourceError

        try:
            media = self.s3.head(self.uri)
            if media is not None and not _is_unchanged(self.item, media):
                return f"{printable(self.uri)} has changed since it was ingested; it stays as it is"
            heads = {uri: head for uri in self.item["files"] if (head := self._of_last(uri)) is not None}
            for uri, head in heads.items():
                if problem := _changed(uri, head, self.item["files"][uri]["etag"]):
                    return problem
            # The media file comes last: as long as it is there, the next run sees that there is more to do.
            self._act({**heads, self.uri: media} if media is not None else heads)
        except SourceError as error:
            return str(error)
        return None

    def _of_last(self, uri: str) -> dict[str, Any] | None:
        """Return the head of a file; ``None`` if it is gone, or has to stay for another item that it belongs to."""
        owners = self.item["files"][uri].get("owners", ()) if self.action != "tag" else ()
        if any(self.s3.head(owner) is not None for owner in owners):
            return None
        return self.s3.head(uri)

    def _act(self, heads: Mapping[str, Mapping[str, Any]]) -> None:
        if self.action == "tag":
            entry = {_ENTRY_TAG: str(self.item["entry_id"])} if self.item.get("entry_id") else {}
            tags = {_TAG: "failed" if "reason" in self.item else "ingested", **entry}
            for uri in heads:
                self.s3.tag(uri, tags)
            return
        if self.action == "move":
            # Nothing is deleted before all of it is at its new place.
            targets = self.targets
            missing = [uri for uri, head in heads.items() if not self.s3.is_at(uri, head, targets[uri])]
            for uri in missing:
                self.s3.copy(uri, heads[uri], targets[uri])
        for uri, head in heads.items():
            self.s3.delete(uri, str(head["ETag"]))


def _changed(uri: str, head: Mapping[str, Any], etag: str) -> str | None:
    """Return why a file beside the media may not be touched, if that is so.

    :param etag: that of the listing.
    """
    if not etag:
        return f"{printable(uri)} may have changed since it was ingested; have the inventory list the field ETag"
    if etag != _etag(head):
        return f"{printable(uri)} has changed since it was ingested; its item stays as it is"
    return None


def _is_unchanged(item: Mapping[str, Any], head: Mapping[str, Any]) -> bool:
    from kaltura_provider.ingest.identity import content_id

    if not item.get("content_id"):  # it failed before it was opened
        return bool(item.get("etag") == _etag(head))
    versions = (head["ETag"], head.get("VersionId"))
    known = [content_id(item["item_id"], head["ContentLength"], str(version)) for version in versions if version]
    return item["content_id"] in known


def _etag(head: Mapping[str, Any]) -> str:
    return str(head["ETag"]).strip('"')
