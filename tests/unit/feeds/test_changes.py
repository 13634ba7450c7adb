"""Which entry a row of a manifest changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.feeds.outcome.changes import KalturaChangeListedOperator
from kaltura_provider.ingest.identity import elder_item_id, item_id
from kaltura_provider.ingest.ledger import Ledger

URL = "https://example.com/a%7Eb.mp4"


@pytest.mark.parametrize("name", [item_id(URL), elder_item_id(URL)], ids=["identity", "older identity"])
def test_the_entry_of_a_url_is_found_by_either_identity(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def entries_of(_: Ledger, ids: list[str]) -> dict[str, list[Any]]:
        return {one: [SimpleNamespace(id="0_abc", deleted=False)] if one == name else [] for one in ids}

    changed = []
    monkeypatch.setattr(Ledger, "entries_of", entries_of)
    monkeypatch.setattr(KalturaChangeListedOperator, "hook", SimpleNamespace(get_conn=lambda: None))
    monkeypatch.setattr(
        "kaltura_provider.services.entry.changes.update_entry", lambda _, entry, values: changed.append((entry, values))
    )
    row = {"line": 2, "action": "update", "url": URL, "metadata": {"name": "B"}}
    context: Any = {}
    done = KalturaChangeListedOperator(task_id="changes", changes=[row]).run_in_kaltura(context)
    assert (done["updated"], changed) == (["0_abc"], [("0_abc", {"name": "B"})])
