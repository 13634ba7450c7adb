"""The triggers that wait for entries: ready, with their flavors, or moderated. They share one poll."""

from __future__ import annotations

from kaltura_provider.triggers.base import KalturaTrigger
from kaltura_provider.triggers.evaluate import EntryModerated, EntryReady, FlavorsReady
from kaltura_provider.triggers.polling.entries import EntryReader

__all__ = ["KalturaEntryReadyTrigger", "KalturaFlavorReadyTrigger", "KalturaModerationTrigger"]


class _EntryTrigger(KalturaTrigger):
    kind = "entry"

    @classmethod
    def make_reader(cls) -> EntryReader:
        """Return what reads entries."""
        return EntryReader()


class KalturaEntryReadyTrigger(_EntryTrigger):
    """Wait until entries are ready; the condition is :class:`~kaltura_provider.triggers.evaluate.EntryReady`."""

    condition_type = EntryReady


class KalturaFlavorReadyTrigger(_EntryTrigger):
    """Wait until flavors are ready; the condition is :class:`~kaltura_provider.triggers.evaluate.FlavorsReady`."""

    condition_type = FlavorsReady


class KalturaModerationTrigger(_EntryTrigger):
    """Wait for a moderator; the condition is :class:`~kaltura_provider.triggers.evaluate.EntryModerated`."""

    condition_type = EntryModerated
