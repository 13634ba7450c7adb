"""What a feed remembers from run to run, in Airflow's asset state store.

A run reads it in *discover* and drafts what the next run is to know. *summary* makes the draft valid once every item
has settled. A run that dies in between changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from kaltura_provider.feeds.state.known_document import ValidatorStore
from kaltura_provider.feeds.state.watermark import WatermarkStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaltura_provider.feeds.state.watermark import StateStore

__all__ = ["Memory", "memory_of"]


class Memory(Protocol):
    """The memory of one type of source."""

    def read(self) -> Any:
        """Return what the last run that settled left."""

    def draft(self, value: Any, run_id: str) -> None:
        """Store what becomes valid when a run has settled."""

    def commit(self, run_id: str, failed: Iterable[str]) -> bool:
        """Make the draft of a run valid.

        :param failed: addresses of the items that are not in.
        :return: whether the draft was that of this run.
        """


def memory_of(source_type: str, state: StateStore | None) -> Memory:
    """Return the memory of a type of source.

    :param state: Airflow's state store of the feed's asset, the only one among the task's inlets and outlets.
    :raises ValueError: the task has no such asset.
    """
    if state is None:
        raise ValueError(
            f"source {source_type} keeps its state with an asset; give this task the feed's asset as an inlet"
        )
    stores: dict[str, type[WatermarkStore] | type[ValidatorStore]] = {"s3_new": WatermarkStore, "rss": ValidatorStore}
    return stores[source_type](state)
