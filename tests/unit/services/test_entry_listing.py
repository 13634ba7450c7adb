"""Walking a library: nothing missed, nothing twice, however the entries lie in time."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaltura_provider.services.entry.listing import UnsteadyListError, walk

WINDOW = 24
PAGE = 5


class Server:
    """Lists as Kaltura does: at most `WINDOW` results, and no order among entries of one second."""

    def __init__(self, entries: list[dict[str, Any]], seed: int = 0) -> None:
        self.entries = entries
        self.random = random.Random(seed)
        self.deepest = 0

    def call(self, service: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
        wanted, pager = params["filter"], params["pager"]
        name = wanted["orderBy"][1:]
        low = {n: wanted.get(f"{n}GreaterThanOrEqual") or 0 for n in ("createdAt", "updatedAt")}
        high = {n: wanted.get(f"{n}LessThanOrEqual") or 10**9 for n in ("createdAt", "updatedAt")}
        found = [entry for entry in self.entries if all(low[n] <= entry[n] <= high[n] for n in low)]
        found.sort(key=lambda entry: (entry[name], entry["tie"]), reverse=wanted["orderBy"][0] == "-")
        start = (pager["pageIndex"] - 1) * pager["pageSize"]
        assert start < WINDOW, "QUERY_EXCEEDED_MAX_MATCHES_ALLOWED"
        self.deepest = max(self.deepest, start)
        rows = found[start : min(start + pager["pageSize"], WINDOW)]
        return {"totalCount": len(found), "objects": [dict(row) for row in rows]}


def library(seconds: list[tuple[int, int]]) -> list[dict[str, Any]]:
    return [
        {"id": f"0_{number:08d}", "createdAt": made, "updatedAt": changed, "tie": (number * 7919) % 101}
        for number, (made, changed) in enumerate(seconds)
    ]


def walked(server: Server) -> list[str]:
    return [entry["id"] for entry in walk(server, page_size=PAGE, window=WINDOW)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 8), max_size=90))
def test_every_entry_once_in_order(seconds: list[int]) -> None:
    entries = library([(made, made + number) for number, made in enumerate(seconds)])
    found = walked(Server(entries))
    assert sorted(found) == sorted(entry["id"] for entry in entries)
    made = {entry["id"]: entry["createdAt"] for entry in entries}
    assert [made[i] for i in found] == sorted(made[i] for i in found)


def test_a_second_with_more_entries_than_kaltura_lists_is_split_by_their_last_change() -> None:
    entries = library([(5, 100 + number) for number in range(WINDOW * 4)] + [(6, 7)])
    server = Server(entries)
    assert sorted(walked(server)) == [entry["id"] for entry in entries]
    assert server.deepest < WINDOW


def test_entries_that_nothing_tells_apart_are_an_error_and_not_missed() -> None:
    with pytest.raises(UnsteadyListError, match="narrow the filter"):
        walked(Server(library([(5, 9)] * (WINDOW + 1))))


def test_what_is_deleted_meanwhile_makes_nothing_else_be_missed() -> None:
    entries = library([(number, number) for number in range(1, 41)])
    server = Server(list(entries))
    found = []
    for entry in walk(server, page_size=PAGE, window=WINDOW):
        found.append(entry["id"])
        server.entries = [left for left in server.entries if left["id"] != entry["id"]]
    assert found == [entry["id"] for entry in entries]


def test_a_list_whose_order_changes_between_pages_is_read_again() -> None:
    class Shuffling(Server):
        shuffles = 2

        def call(self, service: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
            if params["pager"]["pageIndex"] > 1 and self.shuffles:
                self.shuffles -= 1
                for entry in self.entries:
                    entry["tie"] = self.random.random()
            return super().call(service, action, params)

    entries = library([(5, 9)] * 20)
    server = Shuffling(entries, seed=3)
    assert sorted(walked(server)) == [entry["id"] for entry in entries]


def test_bounds_of_the_caller_are_kept() -> None:
    entries = library([(number, 0) for number in range(1, 31)])
    wanted = {"createdAtGreaterThanOrEqual": 8, "createdAtLessThanOrEqual": 21}
    found = list(walk(Server(entries), wanted, page_size=PAGE, window=WINDOW, fields=["id", "createdAt"]))
    assert [entry["createdAt"] for entry in found] == list(range(8, 22))
    assert set(found[0]) == {"id", "createdAt"}
