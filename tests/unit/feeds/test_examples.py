"""The feeds that docs/feeds.md shows are feeds, and the page says what the schema says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kaltura_provider.feeds.files.field_docs import example, feed_fields, json_schema, source_fields, source_types
from kaltura_provider.feeds.files.load import load_feed
from kaltura_provider.feeds.folder import build_files
from kaltura_provider.feeds.sources import SOURCE_TYPES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "feeds.md").read_text()
EXCERPTS = re.findall(r"```yaml\n(?!name: )(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```yaml\n(name: .*?)```", PAGE, re.DOTALL)


def test_the_page_is_what_the_schema_makes_it() -> None:
    made = runpy.run_path(str(DOCS / "generate_feeds.py"))["page"](PAGE)
    assert made == PAGE, "run python docs/generate_feeds.py"


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_becomes_a_dag(tmp_path: Path, text: str) -> None:
    path = tmp_path / "feed.yaml"
    path.write_text(text)
    built = build_files([path])
    assert built.problems == []
    assert len(built.dags) == 1


@pytest.mark.parametrize("text", EXCERPTS, ids=range(len(EXCERPTS)))
def test_an_excerpt_becomes_a_dag(tmp_path: Path, text: str) -> None:
    path = tmp_path / "feed.yaml"
    source = "" if "source:" in text else "source: {uri: 's3://media/news/'}\n"
    path.write_text(f"name: news\nstart_date: 2024-03-01\n{source}{text}")
    assert build_files([path]).problems == []


def test_every_type_of_source_has_an_example_of_its_own(tmp_path: Path) -> None:
    assert tuple(source_types()) == SOURCE_TYPES
    for kind in SOURCE_TYPES:
        path = tmp_path / "feed.yaml"
        path.write_text(example(kind))
        assert load_feed(path).source.type == kind


@pytest.mark.parametrize("kind", SOURCE_TYPES)
def test_every_field_is_described(kind: str) -> None:
    for note in [*feed_fields(), *source_fields(kind)]:
        assert note.meaning, f"{note.name}: describe it with about(...)"
        assert not note.meaning.endswith("."), note.name
        assert note.required or note.default, note.name


def problems(text: str) -> list[str]:
    """Return what an editor that knows the JSON Schema says about a feed."""

    class Loader(yaml.SafeLoader):
        """Leaves dates as texts, as JSON has them."""

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if not pair[0].endswith("timestamp")]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    data: Any = yaml.load(text, Loader)  # noqa: S506 - it is a safe loader
    return [error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(data)]


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_editors_accept_the_examples(text: str) -> None:
    assert problems(text) == []


def test_editors_accept_one_text_for_a_list() -> None:
    assert problems(example("s3_prefix") + "tags: news, sport\nversion: 1\n") == []


@pytest.mark.parametrize("wrong", ["shedule: '@daily'", "if_exists: overwrite", "retries: many", "version: 2"])
def test_editors_refuse_what_the_package_refuses(wrong: str) -> None:
    assert problems(example("s3_prefix") + wrong)


def test_the_schema_describes_every_field_and_has_no_titles_of_its_own() -> None:
    schema = json_schema()
    assert schema["title"] == "Kaltura feed"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(field.get("description") for field in schema["properties"].values())
    assert "title" not in schema["properties"]["name"]
