"""Adds and replaces the content of entries, and approves or cancels replacements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kaltura_provider.hooks.renamed_arguments import renamed_arguments
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.links.entry import ENTRY_LINKS, push_links
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


class RememberedAttempt:
    """Remembers in the task state store that an earlier try of this task began to add this content to an entry."""

    def __init__(self, context: Context, entry_id: str, source: ContentSource) -> None:
        from kaltura_provider.ingest.identity import canonical_uri

        self._memory = TaskMemory(context, "kaltura_content", enabled=True)
        self._entry_id = entry_id
        given = source.resource()
        if source.url and "://" in source.url:
            # Every try signs the URL again; without its signature it is the same.
            given["url"] = canonical_uri(source.url)
        self._content = request_key(given)

    @property
    def begun(self) -> bool:
        """Whether an earlier try made the call."""
        return self._memory.ids.get(self._entry_id) == self._content

    def begin(self) -> None:
        """Note that this try is about to make the call."""
        self._memory.remember(self._entry_id, self._content)


@renamed_arguments({"token": "token_id"})
class _ContentOperator(KalturaOperator):
    """Base of the operators that take content from one of several sources."""

    template_fields: Sequence[str] = (
        "entry_id",
        "token_id",
        "url",
        "url_headers",
        "storage_profile_id",
        "text",
        "from_entry_id",
        "flavor_params_id",
        "from_asset_id",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        entry_id: Any,
        token_id: Any = None,
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
        self.token_id = token_id
        self.url = url
        self.url_headers = url_headers
        self.storage_profile_id = storage_profile_id
        self.text = text
        self.from_entry_id = from_entry_id
        self.flavor_params_id = flavor_params_id
        self.from_asset_id = from_asset_id

    def _read(self) -> tuple[str, ContentSource]:
        """Return the checked entry and source."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.services.entry.content import ContentSource

        return entry_id(self.entry_id), ContentSource(
            token=self.token_id,
            url=self.url,
            url_headers=self.url_headers,
            storage_profile_id=self.storage_profile_id,
            text=self.text,
            entry=self.from_entry_id,
            flavor_params_id=self.flavor_params_id,
            asset=self.from_asset_id,
        )

    def _shown(self, context: Context, entry: Mapping[str, Any]) -> dict[str, Any]:
        from kaltura_provider.services.entry.view import shown_entry

        push_links(context, self.hook.account, entry["id"])
        return shown_entry(entry)


class KalturaAddContentOperator(_ContentOperator):
    """Add content to an empty entry (``addContent``) from exactly one source: token, URL, text, entry or asset.

    :param entry_id: an entry without content: its id, or the result of an operator that has one.
    :param token_id: an upload token, full or not yet filled: its id, or the result of an operator that has one.
    :param url: a URL that Kaltura fetches itself (``https``, ``sftp`` ...); it may be presigned.
    :param url_headers: for ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param storage_profile_id: for ``url``, the remote storage that holds the file and keeps it: no copy is made.
        ``url`` is then the path below the storage's base, or the whole address.
    :param text: the content itself, for data entries.
    :param from_entry_id: another entry, whose content is copied.
    :param flavor_params_id: for ``from_entry_id``, which of its renditions to copy; 0 is the source.
    :param from_asset_id: a flavor asset whose content is copied.
    :return: ``{"entry_id", "status", "status_number"}``. Wait with ``KalturaEntryReadySensor``.
    :raises AirflowFailException: no source or several are given, one is malformed, the entry already has content, or
        Kaltura refuses permanently.
    """

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.services.entry.content import add_content

        entry_id, source = self._read()
        attempt = RememberedAttempt(context, entry_id, source)
        return self._shown(context, add_content(self.hook.get_conn(), entry_id, source, attempt))


class KalturaUpdateContentOperator(_ContentOperator):
    """Replace an entry's content (``updateContent``); the old content plays until the new content is ready.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param token_id: an upload token, full or not yet filled: its id, or the result of an operator that has one.
    :param url: a URL that Kaltura fetches itself (``https``, ``sftp`` ...); it may be presigned.
    :param url_headers: for ``url``, headers of Kaltura's request: a mapping, or lines ``Name: value``.
    :param storage_profile_id: for ``url``, the remote storage that holds the file and keeps it: no copy is made.
        ``url`` is then the path below the storage's base, or the whole address.
    :param text: the content itself, for data entries.
    :param from_entry_id: another entry, whose content is copied.
    :param flavor_params_id: for ``from_entry_id``, which of its renditions to copy; 0 is the source.
    :param from_asset_id: a flavor asset whose content is copied.
    :param conversion_profile_id: another conversion profile for the new content.
    :return: ``{"entry_id", "status", "status_number", "replacement_status", "replacement_status_number",
        "replacing_entry_id"}``. ``KalturaEntryReadySensor`` waits for the replacement. If the account requires
        approval, use ``KalturaApproveReplacementOperator``.
    :raises AirflowFailException: an argument is not allowed, a replacement is under way, or the account cannot replace
        content.
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
    """Base of the operators that approve and cancel a replacement."""

    approve: ClassVar[bool]
    template_fields: Sequence[str] = ("entry_id", *KalturaOperator.template_fields)
    operator_extra_links = ENTRY_LINKS

    def __init__(self, *, entry_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the entry."""
        from kaltura_provider.api.arguments import entry_id
        from kaltura_provider.services.entry.content import finish_replacement
        from kaltura_provider.services.entry.view import shown_entry

        entry = finish_replacement(self.hook.get_conn(), entry_id(self.entry_id), approve=self.approve)
        push_links(context, self.hook.account, entry["id"])
        return shown_entry(entry)


class KalturaApproveReplacementOperator(_ReplacementOperator):
    """Approve the replacement of an entry's content (``media.approveReplace``).

    The new content takes effect when it is ready.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :return: ``{"entry_id", "status", "status_number", ...}``, as ``KalturaUpdateContentOperator`` returns it.
    :raises AirflowFailException: nothing is being replaced, or the replacement has failed.
    """

    approve = True


class KalturaCancelReplacementOperator(_ReplacementOperator):
    """Cancel the replacement of an entry's content (``media.cancelReplace``).

    The entry keeps its content. An entry that is not being replaced is left as it is.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :return: ``{"entry_id", "status", "status_number", ...}``, as ``KalturaUpdateContentOperator`` returns it.
    :raises AirflowFailException: the entry does not exist.
    """

    approve = False
