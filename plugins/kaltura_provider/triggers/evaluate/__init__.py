"""What a wait is for: pure conditions that judge one snapshot of Kaltura's state. No Airflow, no network, no clock."""

from __future__ import annotations

from kaltura_provider.triggers.evaluate.entry import EntryReady
from kaltura_provider.triggers.evaluate.flavors import FlavorsReady
from kaltura_provider.triggers.evaluate.job import BulkJobDone
from kaltura_provider.triggers.evaluate.moderation import EntryModerated
from kaltura_provider.triggers.evaluate.snapshot import (
    EntrySnapshot,
    FlavorSnapshot,
    JobSnapshot,
    Snapshot,
    TokenSnapshot,
)
from kaltura_provider.triggers.evaluate.token import TokenFull
from kaltura_provider.triggers.evaluate.verdict import Condition, EntryCondition, State, Verdict

__all__ = [
    # conditions
    "BulkJobDone",
    "Condition",
    "EntryCondition",
    "EntryModerated",
    "EntryReady",
    "FlavorsReady",
    "TokenFull",
    # what they judge
    "EntrySnapshot",
    "FlavorSnapshot",
    "JobSnapshot",
    "Snapshot",
    "TokenSnapshot",
    # and find
    "State",
    "Verdict",
]
