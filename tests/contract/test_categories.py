"""Categories, and the entries in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support import Api


@pytest.fixture(scope="module")
def entry(api: Api) -> str:
    return api.entry()


def test_a_tree_of_categories(api: Api) -> None:
    top = api.call("category", "add", category__name="Top")
    below = api.call("category", "add", category__name="Below", category__parentId=top["id"])
    assert (below["fullName"], below["depth"]) == ("Top>Below", 1)
    assert below["fullIds"] == f"{top['id']}>{below['id']}"
    assert api.code("category", "add", category__name="Below", category__parentId=top["id"]) == "DUPLICATE_CATEGORY"
    assert api.code("category", "add", category__name="x", category__parentId=999) == "PARENT_CATEGORY_NOT_FOUND"
    found = api.call("category", "list", filter__parentIdEqual=top["id"])
    assert [item["id"] for item in found["objects"]] == [below["id"]]
    api.call("category", "update", id=top["id"], category__name="Renamed")
    assert api.call("category", "get", id=below["id"])["fullName"] == "Renamed>Below"
    assert api.call("category", "delete", id=top["id"]) is None
    assert api.code("category", "get", id=below["id"]) == "CATEGORY_NOT_FOUND"


def test_an_entry_goes_in_and_out_of_a_category(api: Api, entry: str) -> None:
    number = api.call("category", "add", category__name="In and out")["id"]
    assigned = {"categoryEntry__categoryId": number, "categoryEntry__entryId": entry}
    assert api.call("categoryEntry", "add", **assigned)["status"] == 2
    assert api.code("categoryEntry", "add", **assigned) == "CATEGORY_ENTRY_ALREADY_EXISTS"
    assert api.call("media", "get", entryId=entry)["categories"] == "In and out"
    assert api.call("category", "get", id=number)["entriesCount"] == 1
    assert api.call("categoryEntry", "list", filter__categoryIdEqual=number)["totalCount"] == 1
    assert api.call("categoryEntry", "delete", entryId=entry, categoryId=number) is None
    code = api.code("categoryEntry", "delete", entryId=entry, categoryId=number)
    assert code == "ENTRY_IS_NOT_ASSIGNED_TO_CATEGORY"
    assert api.call("media", "get", entryId=entry)["categories"] == ""


def test_wrong_ids_are_said(api: Api, entry: str) -> None:
    wrong_entry = {"categoryEntry__categoryId": 1, "categoryEntry__entryId": "0_nosuchid"}
    assert api.code("categoryEntry", "add", **wrong_entry) == "INVALID_ENTRY_ID"
    wrong_category = {"categoryEntry__categoryId": 999, "categoryEntry__entryId": entry}
    assert api.code("categoryEntry", "add", **wrong_category) == "CATEGORY_NOT_FOUND"
    assert api.code("categoryEntry", "list") == "MUST_FILTER_ON_ENTRY_OR_CATEGORY"
