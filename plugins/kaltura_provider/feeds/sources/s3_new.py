"""``s3_new``: the objects that appeared below an S3 prefix since the last run."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from kaltura_provider.feeds.fields.types import about, lasting
from kaltura_provider.feeds.sources.s3_fields import S3Fields
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaltura_provider.feeds.sources.found import Found, Search
    from kaltura_provider.feeds.sources.grouping import Group
    from kaltura_provider.feeds.state.watermark import Watermark
    from kaltura_provider.hooks.listing import S3Object

__all__ = ["OLD", "OUTSIDE", "SEEN", "UNSTABLE", "S3New"]

OLD = "older than this run looks back"
SEEN = "ingested by an earlier run"
UNSTABLE = "still changing, checked again by the next run"
OUTSIDE = "modified outside the interval"


class S3New(S3Fields):
    """The objects that appeared below an S3 prefix since the last run, whatever their keys."""

    remembers: ClassVar[bool] = True

    type: Annotated[Literal["s3_new"], about("`s3_new`")]
    overlap: Annotated[
        dt.timedelta,
        lasting("P90D", like="PT24H", minimum="PT0S"),
        about(
            "How far each run looks back before the newest object that earlier runs saw: an ISO 8601 duration of at "
            "most `P90D`"
        ),
    ] = dt.timedelta(hours=24)
    stable_for: Annotated[
        dt.timedelta,
        # A worker is blocked meanwhile.
        lasting("PT15M", like="PT10S", minimum="PT0S"),
        about(
            "How long a new object must keep its size and ETag before it is taken. The worker waits that long and "
            "looks again: at most `PT15M`; `PT0S` looks once"
        ),
    ] = dt.timedelta(seconds=10)
    modified_after: Annotated[
        dt.datetime | None,
        about(
            "Never take anything that was modified before this. Without an offset, it is in the feed's time zone",
            default="none: the first run takes everything",
        ),
    ] = None

    def find(self, search: Search) -> Found:
        """Return the new objects, and the watermark for the next run.

        With ``search.interval``, return the objects modified in it, whether or not earlier runs ingested them.

        :raises SourceError: the bucket does not exist or cannot be listed.
        """
        from kaltura_provider.feeds.sources.s3_objects import media_of
        from kaltura_provider.feeds.state.watermark import Watermark

        objects = self._list(search)
        known = search.memory or Watermark()
        left_out: dict[str, list[str]] = {}
        fresh = []
        for group in self.selecting.groups(objects, self.uri):
            # A new sidecar file makes its item new.
            reasons = [self._reason(item, search, known) for item in group.objects]
            if reasons[0] is None or (None in reasons and not self._is_refused(group.item, search)):
                fresh.append(group)
            else:
                left_out.setdefault(reasons[0], []).append(group.item.key)
        changing = self._changing(fresh, search)
        moving = {group.item.key for group in changing}
        stable = [group for group in fresh if group.item.key not in moving]
        if changing:
            left_out[UNSTABLE] = [group.item.key for group in changing]
        found = media_of(stable, self.uri, self.selecting, search)
        for reason, keys in left_out.items():
            found.left_out[reason] += keys
        if search.interval is None:
            waiting = {item.uri for item in found.items if item.waiting}
            taken = {item.uri for item in found.items} - waiting
            ingested = {item.uri for group in stable if group.item.uri in taken for item in group.objects}
            unsettled = [*changing, *(group for group in stable if group.item.uri in waiting)]
            again = [item for group in unsettled for item in group.objects]
            found.memory = known.after(objects, ingested, again, self.overlap)
        return found

    def _list(self, search: Search) -> list[S3Object]:
        from kaltura_provider.hooks.listing import list_s3

        bucket, prefix = bucket_and_key(self.uri)
        return list(list_s3(bucket, prefix, aws_conn_id=search.aws_conn_id))

    def _reason(self, item: S3Object, search: Search, known: Watermark) -> str | None:
        """Return why an object is not new, or ``None`` if it is."""
        modified = item.modified or dt.datetime.now(dt.UTC)
        if search.interval is not None:
            begins, ends = search.interval
            return None if begins <= modified < ends else OUTSIDE
        if self._is_refused(item, search):
            return OLD
        if known.is_unsettled(item):
            return None
        if known.moment and modified <= known.moment - self.overlap:
            return OLD
        return SEEN if known.is_settled(item) else None

    def _is_refused(self, item: S3Object, search: Search) -> bool:
        """Tell whether an object is older than anything that the feed may take."""
        bound = _aware(self.modified_after, search.timezone) if search.interval is None else None
        return bool(bound and item.modified and item.modified < bound)

    def _changing(self, fresh: Sequence[Group], search: Search) -> list[Group]:
        """List a second time, and return the items of which a file has changed or disappeared."""
        if not fresh or not self.stable_for or search.interval is not None:
            return []
        time.sleep(self.stable_for.total_seconds())
        now = _contents(self._list(search))
        return [group for group in fresh if any(now.get(item.key) != (item.size, item.etag) for item in group.objects)]


def _contents(objects: Iterable[S3Object]) -> dict[str, tuple[int, str]]:
    return {item.key: (item.size, item.etag) for item in objects}


def _aware(moment: dt.datetime | None, timezone: str) -> dt.datetime | None:
    import pendulum

    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=pendulum.timezone(timezone))
