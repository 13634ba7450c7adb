"""Buttons that open a task's entry: in Kaltura's management console, in a player, as a picture or as a file."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, cast

from airflow.sdk import BaseOperatorLink

from kaltura_provider.hooks.airflow_lock import AIRFLOW

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context
    from airflow.sdk.types import TaskInstanceKey

    from kaltura_provider.hooks.connection import KalturaAccount

__all__ = [
    "ENTRY_LINKS",
    "KalturaEntryLink",
    "KalturaPlaybackLink",
    "KalturaSourceLink",
    "KalturaThumbnailLink",
    "begin_links",
    "end_links",
    "push_links",
]


_links: dict[Any, dict[str, str]] = {}
"""The links of each task instance that began in this process, by their XCom keys. Each lookup in XCom is a request."""


class _PushedLink(BaseOperatorLink):
    """A link that the task pushes to XCom, which works while the task is still running."""

    @abstractmethod
    def url(self, account: KalturaAccount, entry_id: str) -> str:
        """Return the URL for an entry."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the pushed URL; an empty string if the task has not pushed it yet."""
        known = _links.get(getattr(ti_key, "id", None))
        # Airflow logs an error if an XCom does not exist, as for a task that failed early. A sensor that was deferred
        # has pushed its links in another process, so only the XCom has them.
        if known is not None or not hasattr(operator, "execute_complete"):
            return (known or {}).get(self.xcom_key, "")
        from airflow.sdk.bases.xcom import BaseXCom

        return cast("str", BaseXCom.get_value(ti_key=cast("Any", ti_key), key=self.xcom_key) or "")


class KalturaEntryLink(_PushedLink):
    """The entry in Kaltura's management console (KMC)."""

    name = "Kaltura entry"
    xcom_key = "kaltura_entry_link"

    def url(self, account: KalturaAccount, entry_id: str) -> str:
        """Return the URL for an entry."""
        return account.entry_url(entry_id)


class KalturaPlaybackLink(_PushedLink):
    """The entry's content, played by the browser. Kaltura answers with 404 until the entry is READY."""

    name = "Play"
    xcom_key = "kaltura_playback_link"

    def url(self, account: KalturaAccount, entry_id: str) -> str:
        """Return the URL for an entry."""
        return account.playback_url(entry_id)


class KalturaThumbnailLink(_PushedLink):
    """The entry's thumbnail. Kaltura answers with 404 until there is one."""

    name = "Thumbnail"
    xcom_key = "kaltura_thumbnail_link"

    def url(self, account: KalturaAccount, entry_id: str) -> str:
        """Return the URL for an entry."""
        return account.thumbnail_url(entry_id)


class KalturaSourceLink(_PushedLink):
    """The source file, as Kaltura has stored it."""

    name = "Source file"
    xcom_key = "kaltura_source_link"

    def url(self, account: KalturaAccount, entry_id: str) -> str:
        """Return the URL for an entry."""
        return account.source_url(entry_id)


ENTRY_LINKS: Final[tuple[_PushedLink, ...]] = (
    KalturaEntryLink(),
    KalturaPlaybackLink(),
    KalturaThumbnailLink(),
    KalturaSourceLink(),
)
"""The links of an operator whose entries hold media."""


def begin_links(context: Context) -> None:
    """State that a task has no links yet, so that nothing looks for them in XCom."""
    ti: Any = context["ti"]
    _links[getattr(ti, "id", None)] = {}


def push_links(context: Context, account: KalturaAccount, entry_id: str) -> None:
    """Set the links of a task to an entry at once, unless they lead there already."""
    ti: Any = context["ti"]
    if _links.get(getattr(ti, "id", None)) == _urls(account, entry_id):
        return
    with AIRFLOW:
        for key, url in _urls(account, entry_id).items():
            ti.xcom_push(key=key, value=url)
    end_links(context, account, entry_id)


def end_links(context: Context, account: KalturaAccount, entry_id: str) -> None:
    """Set the links of a task to an entry. Airflow pushes them when the task ends."""
    _links[getattr(context["ti"], "id", None)] = _urls(account, entry_id)


def _urls(account: KalturaAccount, entry_id: str) -> dict[str, str]:
    return {link.xcom_key: link.url(account, entry_id) for link in ENTRY_LINKS}
