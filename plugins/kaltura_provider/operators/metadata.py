"""Sets custom metadata of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.links.entry import KalturaEntryLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaSetMetadataOperator"]


class KalturaSetMetadataOperator(KalturaOperator):
    """Set an entry's custom metadata for one metadata profile (``metadata_metadata.add``, ``update``).

    It replaces the entry's metadata of that profile. Nothing is sent if it is already the same.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param metadata_profile_id: the metadata profile's number.
    :param values: the profile's field names and their values, in the profile's order. A list repeats a field.
    :param xml: or the complete XML document.
    :return: ``{"entry_id", "metadata_id", "state"}``; ``state`` is ``made``, ``changed`` or ``same``.
    :raises AirflowFailException: an argument is not allowed, or the metadata does not fit the profile.
    """

    template_fields: Sequence[str] = (
        "entry_id",
        "metadata_profile_id",
        "values",
        "xml",
        *KalturaOperator.template_fields,
    )
    operator_extra_links = (KalturaEntryLink(),)

    def __init__(
        self,
        *,
        entry_id: Any,
        metadata_profile_id: int | str,
        values: Mapping[str, Any] | None = None,
        xml: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.metadata_profile_id = metadata_profile_id
        self.values = values
        self.xml = xml

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the metadata's id and what was done."""
        from kaltura_provider.api.arguments import entry_id, number
        from kaltura_provider.services.metadata import metadata_xml, set_metadata

        entry = entry_id(self.entry_id)
        profile = number(self.metadata_profile_id, "metadata_profile_id", minimum=1)
        xml = metadata_xml(self.values, self.xml)
        done = set_metadata(self.hook.get_conn(), entry, profile, xml)
        push_links(context, self.hook.account, entry)
        return {"entry_id": entry, **done}
