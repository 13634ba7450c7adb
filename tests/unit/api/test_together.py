"""No answer of a multirequest is overlooked, and no change in one depends on another."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.errors import KalturaAPIError, KalturaPermanentError, api_error
from kaltura_provider.api.together import change_each, read_together
from kaltura_provider.api.wire import Request, result

READ = Request("media", "get", {"entryId": "0_a"})
CHANGE = Request("media", "delete", {"entryId": "0_a"})


def client(*answers: Any) -> KalturaClient:
    class Client:
        def multirequest(self, requests: Any, *, repeatable: bool) -> list[Any]:
            assert len(requests) == len(answers)
            return list(answers)

    return cast("KalturaClient", Client())


def test_reads_stop_at_the_first_error() -> None:
    gone = api_error("ENTRY_ID_NOT_FOUND")
    busy = api_error("INTERNAL_SERVERL_ERROR")
    assert read_together(client(1, 2), [READ, READ]) == [1, 2]
    with pytest.raises(KalturaPermanentError):
        read_together(client(1, gone), [READ, READ])
    assert read_together(client(1, gone), [READ, READ], may_miss=[1]) == [1, None]
    with pytest.raises(KalturaAPIError, match="INTERNAL"):
        read_together(client(1, busy), [READ, READ], may_miss=[1])
    assert read_together(client(busy, 2), [READ, READ], may_fail=[0]) == [None, 2]


def test_changes_tell_what_was_made_and_what_was_not() -> None:
    gone = api_error("ENTRY_ID_NOT_FOUND")
    made = change_each(client(1, gone), {"a": CHANGE, "b": CHANGE}, repeatable=True)
    assert (made.done, made.refused) == ({"a": 1}, {"b": gone})
    assert change_each(client(), {}, repeatable=True).done == {}


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match=r"media\.delete does not only read"):
        read_together(client(1), [CHANGE])
    depends = Request("media", "addContent", {"entryId": result(1, "id")})
    with pytest.raises(ValueError, match="uses the result of another change"):
        change_each(client(1, 2), {1: CHANGE, 2: depends}, repeatable=False)
