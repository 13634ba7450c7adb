from __future__ import annotations

import time
from typing import Any, cast

import pytest

from kaltura_provider.feeds.form.feed import Choice, chosen, feed_params, only_these
from kaltura_provider.feeds.planning.plan import Decision
from kaltura_provider.feeds.planning.planner import Planner
from kaltura_provider.feeds.schema import Feed
from kaltura_provider.feeds.sources import Found, FoundItem
from kaltura_provider.feeds.sources.s3_new import UNSTABLE

URIS = ("s3://b/in/a.mp4", "s3://b/in/deep/a.mp4", "s3://b/in/news.mov", "https://host/x/clip.mp4?token=1")


def found() -> Found:
    return Found("below s3://b/in/", [FoundItem(uri) for uri in URIS], {"empty": ["deep/old.mp4"]}, [{"action": "x"}])


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("s3://b/in/a.mp4", [0]),
        ("in/a.mp4", [0]),
        ("deep/a.mp4", [1]),
        ("a.mp4", [0, 1]),
        ("/news.mov", [2]),
        ("clip.mp4", [3]),
    ],
    ids=["address", "key", "end", "name", "slash", "url"],
)
def test_a_line_names_items(line: str, taken: list[int]) -> None:
    some = only_these(found(), [line])
    assert [item.uri for item in some.items] == [URIS[number] for number in taken]
    assert some.changes == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("new.mov", "line 2: 'new.mov' is not among the 4 items below s3://b/in/; did you mean 'news.mov'?"),
        ("old.mp4", "line 2: 'old.mp4' is left out (empty)"),
        (".mp4", "line 2: '.mp4' is not among"),
        ("evil\nname", "line 2: 'evil\\\\nname' is not among"),
    ],
    ids=["typo", "left-out", "part-of-a-name", "control-character"],
)
def test_a_wrong_line_is_named_in_words(line: str, said: str) -> None:
    with pytest.raises(ValueError, match="'Only these' cannot be used") as caught:
        only_these(found(), ["a.mp4", line])
    assert said.replace("\\\\n", "\\n") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_wrong_lines_are_counted() -> None:
    with pytest.raises(ValueError, match="and 95 more lines"):
        only_these(found(), [f"{number}.avi" for number in range(100)])


def test_very_many_lines_take_no_time() -> None:
    here = Found("below s3://b/in/", [FoundItem(f"s3://b/in/{number}/clip.mp4") for number in range(10_000)])
    began = time.process_time()
    assert len(only_these(here, [f"in/{number}/clip.mp4" for number in range(10_000)]).items) == 10_000
    with pytest.raises(ValueError, match="and 9995 more lines"):
        only_these(here, [f"in/{number}/clap.mp4" for number in range(10_000)])
    # Comparing each line with each item would take a minute.
    assert time.process_time() - began < 5


def test_the_form_of_a_feed_begins_with_what_the_feed_says() -> None:
    source = {"uri": "s3://b/"}
    feed = Feed(name="a", start_date="2024-01-01", source=source, if_exists="fail", transfer="import", batch_size=7)
    params = {name: param.resolve() for name, param in feed_params(feed).items()}
    context = cast("Any", {"params": params})
    defaults = Choice("skip", "upload", 50)
    assert chosen(context, defaults) == Choice("fail", "import", 7)
    typed = cast("Any", {"params": params | {"only": ["", "  a.mp4 ", "\t"], "if_exists": "replace"}})
    assert chosen(typed, defaults) == Choice("replace", "import", 7, ("a.mp4",))
    assert chosen(cast("Any", {}), defaults) == defaults


def test_what_still_changes_is_unstable_in_the_plan() -> None:
    here = Found("below s3://b/", [], {UNSTABLE: ["a.mp4"], "empty": ["b.mp4"]})
    plan = Planner(metadata=lambda item: {}).plan(here)
    assert [item.decision for item in plan.items] == [Decision.UNSTABLE, Decision.IGNORED]
    assert plan.wanted == []
