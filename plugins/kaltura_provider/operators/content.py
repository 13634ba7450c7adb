"""Content as a task: give an entry its content, replace it, approve or cancel a replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import KalturaEntryLink, KalturaPlaybackLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from kaltura_provider.services.entry.content import ContentSource

__all__ = [
    "KalturaAddContentOperator",
    "KalturaApproveReplacementOperator",
    "KalturaCancelReplacementOperator",
    "KalturaUpdateContentOperator",
]

_SHOWN = ("replacementStatus", "replacingEntryId")


class RememberedAttempt:
    """Whether an earlier try of this task began to give an entry this content, kept in the task state store."""

    def __init__(self, context: Context, entry_id: str, source: ContentSource) -> None:
        from kaltura_provider.ingest.identity import canonical_uri

        self._memory = TaskMemory(context, "kaltura_content", enabled=True)
        self._entry_id = entry_id
        given = source.resource()
        if source.url and "://" in source.url:
            # A URL is signed anew for every try; without its signature it is the same.
            given["url"] = canonical_uri(source.url)
        self._content = request_key(given)

    @property
    def begun(self) -> bool:
        """Whether an earlier try got as far as the call."""
        return self._memory.ids.get(self._entry_id) == self._content

    def begin(self) -> None:
        """Note that this try has."""
        self._memory.remember(self._entry_id, self._content)


class _ContentOperator(KalturaOperator):
    """The sources content can come from."""

    template_fields: Sequence[str] = (
        "entry_id",
        "token",
        "url",
        "url_headers",
        "storage_profile_id",
        "text",
        "from_entry_id",
        "flavor_params_id",
        "from_asset_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(
        self,
        *,
        entry_id: Any,
        token: Any = None,
        url: str | None = None,
        url_headers: Mapping[str, str] | Sequence[str] | None = None,
        storage_profile_id: int | str | None = None,
        text: str | None = None,
        from_entry_id: Any = None,
        flavor_params_id: int | str | None = None,
        from_asset_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.token = token
        self.url = url
        self.url_headers = url_headers
        self.storage_profile_id = storage_profile_id
        self.text = text
        self.from_entry_id = from_entry_id
        self.flavor_params_id = flavor_params_id
        self.from_asset_id = from_asset_id

    def _read(self) -> tuple[str, ContentSource]:
        """Return the entry and the source, checked."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.services.entry.content import ContentSource

        return entry_id(self.entry_id), ContentSource(
            token=self.token,
            url=self.url,
            url_headers=self.url_headers,
            storage_profile_id=self.storage_profile_id,
            text=self.text,
            entry=self.from_entry_id,
            flavor_params_id=self.flavor_params_id,
            asset=self.from_asset_id,
        )

    def _shown(self, context: Context, entry: Mapping[str, Any]) -> dict[str, Any]:
        push_links(context, self.hook.account, entry["id"])
        return _shown(entry)


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: entry[name] for name in _SHOWN if entry.get(name)}
    return {"entry_id": entry["id"], "status": entry["status"], **said}


class KalturaAddContentOperator(_ContentOperator):
    """Give an entry its content (``addContent``), from exactly one of the sources below.

    :param entry_id: an entry without content, or an asset reference.
    :param token: an upload token, full or still to be filled, or what ``KalturaUploadOperator`` returned.
    :param url: an address that Kaltura itself fetches (``https``, ``sftp`` ...); it may be presigned.
    :param url_headers: with ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param storage_profile_id: the remote storage that holds the file and keeps it: no copy is made. ``url`` is then its
        path below the storage's base, or its whole address.
    :param text: the content of a data entry itself.
    :param from_entry_id: another entry, whose content is copied.
    :param flavor_params_id: with ``from_entry_id``, which of its renditions; 0 is the source.
    :param from_asset_id: a flavor asset whose content is copied.
    :return: ``{"entry_id", "status", ...}``; wait with ``KalturaEntryReadySensor``.
    :raises AirflowFailException: no source or several are given, one is malformed, the entry has content already, or
        Kaltura refuses for good.
    """

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.services.entry.content import add_content

        entry_id, source = self._read()
        attempt = RememberedAttempt(context, entry_id, source)
        return self._shown(context, add_content(self.hook.get_conn(), entry_id, source, attempt))


class KalturaUpdateContentOperator(_ContentOperator):
    """Replace an entry's content (``updateContent``); the old content plays until the new one is ready.

    :param entry_id: the entry, or an asset reference.
    :param token: an upload token, full or still to be filled.
    :param url: an address that Kaltura itself fetches; ``url_headers`` and ``storage_profile_id`` as above.
    :param url_headers: with ``url``, headers of Kaltura's request.
    :param storage_profile_id: with ``url``, the remote storage it lies on.
    :param text: the content of a data entry itself.
    :param from_entry_id: another entry, whose content is copied; ``flavor_params_id`` says which rendition.
    :param flavor_params_id: with ``from_entry_id``, which of its renditions; 0 is the source.
    :param from_asset_id: a flavor asset whose content is copied.
    :param conversion_profile_id: another conversion profile for the new content.
    :return: ``{"entry_id", "status", "replacementStatus", "replacingEntryId"}``. ``KalturaEntryReadySensor`` waits for
        the replacement; where the account asks for approval, ``KalturaApproveReplacementOperator`` gives it.
    :raises AirflowFailException: an argument is impossible, a replacement is going on, or the account may not replace.
    """

    template_fields: Sequence[str] = (*_ContentOperator.template_fields, "conversion_profile_id")

    def __init__(self, *, conversion_profile_id: int | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conversion_profile_id = conversion_profile_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.arguments import number
        from kaltura_provider.services.entry.content import replace_content

        entry_id, source = self._read()
        given = self.conversion_profile_id
        profile = None if given in (None, "") else number(given, "conversion_profile_id", minimum=-1)
        attempt = RememberedAttempt(context, entry_id, source)
        client = self.hook.get_conn()
        replaced = replace_content(client, entry_id, source, conversion_profile_id=profile, attempt=attempt)
        return self._shown(context, replaced)


class _ReplacementOperator(KalturaOperator):
    """What approving and cancelling share."""

    approve: ClassVar[bool]
    template_fields: Sequence[str] = ("entry_id", *KalturaOperator.template_fields)
    operator_extra_links = (KalturaEntryLink(), KalturaPlaybackLink())

    def __init__(self, *, entry_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.services.entry.content import finish_replacement

        entry = finish_replacement(self.hook.get_conn(), entry_id(self.entry_id), approve=self.approve)
        push_links(context, self.hook.account, entry["id"])
        return _shown(entry)


class KalturaApproveReplacementOperator(_ReplacementOperator):
    """Approve a replacement (``media.approveReplace``): the new content takes the old one's place when it is ready.

    :param entry_id: the entry whose content is being replaced, or an asset reference.
    :return: ``{"entry_id", "status", ...}``.
    :raises AirflowFailException: nothing is being replaced, or the replacement has failed.
    """

    approve = True


class KalturaCancelReplacementOperator(_ReplacementOperator):
    """Cancel a replacement (``media.cancelReplace``): the entry keeps its content. With none going on, that is fine.

    :param entry_id: the entry whose content is being replaced, or an asset reference.
    :return: ``{"entry_id", "status", ...}``.
    :raises AirflowFailException: there is no such entry.
    """

    approve = False
