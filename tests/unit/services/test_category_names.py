from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.category import read_categories
from kaltura_provider.services.entry.metadata import EntryMetadata


@pytest.mark.parametrize(
    ("said", "names"),
    [("Courses>Physics", ("Courses>Physics",)), (["A > B", "", "C"], ("A>B", "C")), ("", ()), ((), ())],
)
def test_a_text_is_one_category_and_a_list_is_several(said: Any, names: tuple[str, ...]) -> None:
    assert EntryMetadata(categories=said).categories == names


@pytest.mark.parametrize(
    "said", ["Arts, Crafts>Pottery", ["News", "Arts, Crafts>Pottery"], ["A>>B"], [">"], ["A>" * 8 + "A"]]
)
def test_what_would_become_other_categories_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match="categor"):
        EntryMetadata(categories=said)
    with pytest.raises(KalturaConfigurationError, match="categor"):
        read_categories(said, "add")


def test_ids_can_be_given_as_a_line() -> None:
    assert read_categories("1, 2", "add") == [1, 2]
    assert read_categories(7, "add") == [7]
    assert read_categories(["1", "A>B", "A > B"], "add") == [1, "A>B"]
    assert read_categories("", "add") == []
