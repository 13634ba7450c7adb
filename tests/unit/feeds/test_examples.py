"""The feeds that docs/feeds.md shows are feeds: each is read and becomes a DAG."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaltura_provider.feeds.folder import build_feeds
from kaltura_provider.feeds.load import load_feed
from kaltura_provider.feeds.sources import SOURCE_TYPES

PAGE = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(name: .*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_becomes_a_dag(tmp_path: Path, example: str) -> None:
    (tmp_path / "feed.yaml").write_text(example)
    built = build_feeds(tmp_path)
    assert built.problems == []
    assert len(built.dags) == 1


def test_every_type_of_source_has_an_example(tmp_path: Path) -> None:
    path = tmp_path / "feed.yaml"
    shown = set()
    for example in EXAMPLES:
        path.write_text(example)
        shown.add(load_feed(path).source.type)
    assert shown == set(SOURCE_TYPES)
