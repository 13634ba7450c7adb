"""Custom metadata of entries as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.links.entry import KalturaEntryLink, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaSetMetadataOperator"]


class KalturaSetMetadataOperator(KalturaOperator):
    """Give an entry its custom metadata of one profile (``metadata_metadata.add``, ``update``).

    It replaces what the entry has of that profile; nothing is sent when that says the same.

    :param entry_id: the entry, or an asset reference.
    :param metadata_profile_id: the metadata profile, as a number.
    :param values: field names of the profile and their values, in the profile's order; a list repeats a field.
    :param xml: or the whole XML document.
    :return: ``{"metadata_id", "state"}``; ``state`` is ``made``, ``changed`` or ``same``.
    :raises AirflowFailException: an argument is impossible, or the metadata does not fit the profile.
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
        return done
