"""The triggers that wait for entries: ready, with their flavors, or moderated. They share one poll."""

from __future__ import annotations

from kaltura_provider.triggers.base import KalturaTrigger
from kaltura_provider.waiting.conditions.flavors import EntryReadyWithFlavors, FlavorsReady
from kaltura_provider.waiting.conditions.moderation import EntryModerated
from kaltura_provider.waiting.polling.entries import EntryReader

__all__ = ["KalturaEntryReadyTrigger", "KalturaFlavorReadyTrigger", "KalturaModerationTrigger"]


class _EntryTrigger(KalturaTrigger):
    kind = "entry"

    @classmethod
    def make_reader(cls) -> EntryReader:
        """Return the reader for entries."""
        return EntryReader()


class KalturaEntryReadyTrigger(_EntryTrigger):
    """Wait until entries are ready.

    See :class:`~kaltura_provider.waiting.conditions.flavors.EntryReadyWithFlavors`.
    """

    condition_type = EntryReadyWithFlavors


class KalturaFlavorReadyTrigger(_EntryTrigger):
    """Wait until flavors are ready; see :class:`~kaltura_provider.waiting.conditions.flavors.FlavorsReady`."""

    condition_type = FlavorsReady


class KalturaModerationTrigger(_EntryTrigger):
    """Wait for a moderator; see :class:`~kaltura_provider.waiting.conditions.moderation.EntryModerated`."""

    condition_type = EntryModerated
