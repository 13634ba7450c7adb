"""OpenLineage: the provider asks an operator which sources went into which entries."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kaltura_provider.hooks.lineage import source_dataset
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState
from kaltura_provider.operators.ingest import KalturaIngestOperator


@dataclass
class OperatorLineage:
    """Stands in for the class of OpenLineage's provider, whose listener would be in every process of the tests."""

    inputs: list[Any]
    outputs: list[Any]


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("s3://media/day/a b?.mp4", ("s3://media", "day/a b?.mp4")),
        ("https://h.example/a/b.mp4?X-Amz-Signature=geheim", ("https://h.example", "/a/b.mp4")),
        ("https://user:geheim@h.example/b.mp4", ("https://h.example", "/b.mp4")),
        ("file:///data/a%20b.mp4", ("file", "/data/a b.mp4")),
        ("/data/a.mp4", ("file", "/data/a.mp4")),
    ],
)
def test_sources_are_named_as_openlineage_names_them_without_secrets(uri: str, named: tuple[str, str]) -> None:
    assert source_dataset(uri) == named


def test_inputs_are_sources_and_outputs_are_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = ModuleType("airflow.providers.openlineage.extractors")
    provider.OperatorLineage = OperatorLineage  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage", ModuleType("airflow.providers.openlineage"))
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", provider)
    monkeypatch.setattr("airflow.providers.common.compat.openlineage.facet.Dataset", SimpleNamespace)
    task = KalturaIngestOperator(task_id="ingest", source=[])
    account = SimpleNamespace(service_url="https://www.kaltura.com/api_v3", partner_id=102)
    monkeypatch.setattr(KalturaIngestOperator, "hook", SimpleNamespace(account=account))

    def ref(name: str, state: ItemState, **more: Any) -> ItemRef:
        return ItemRef(uri=f"s3://media/{name}", name=name, size=1, item_id="i", content_id="c", state=state, **more)

    error = ItemError("source", "gone", retry_helps=False)
    task.remember_lineage(
        [ref("a.mp4", ItemState.DONE, entry_id="0_a"), ref("b.mp4", ItemState.FAILED, entry_id="0_b", error=error)]
    )
    lineage = task.get_openlineage_facets_on_complete(None)
    assert [(one.namespace, one.name) for one in lineage.inputs] == [("s3://media", "a.mp4")]
    assert [(one.namespace, one.name) for one in lineage.outputs] == [("kaltura://www.kaltura.com/102", "0_a")]
