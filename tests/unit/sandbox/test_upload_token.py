"""The upload token: how chunks become a file, who sees a token, when it refuses."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kaltura_sandbox import Sandbox

DATA = os.urandom(300_000)
PARTS = [DATA[at : at + 100_000] for at in range(0, 300_000, 100_000)]


def stored(sandbox: Sandbox, token: str) -> bytes:
    return (sandbox.account.files.uploads / token / "data").read_bytes()


def parked(sandbox: Sandbox, token: str) -> list[str]:
    return sorted(path.name for path in (sandbox.account.files.uploads / token).glob("chunk.*"))


def first(api: Any, token: str) -> Any:
    return api.upload(token, PARTS[0], resume=0, finalChunk=0)


def more(api: Any, token: str, part: bytes, at: int, *, final: int = 0) -> Any:
    return api.upload(token, part, resume=1, finalChunk=final, resumeAt=at)


def test_a_new_token_shows_what_was_sent(api: Any) -> None:
    token = api("uploadToken", "add", uploadToken={"fileName": "a.mp4", "fileSize": 300000})
    assert token["status"] == 0
    assert token["fileSize"] == "300000"
    assert token["autoFinalize"] is False
    assert "uploadedFileSize" not in token
    assert len(token["id"]) == 34


def test_without_final_chunk_one_part_completes_the_file(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    reply = api.upload(token, DATA, name="one.mp4")
    assert (reply["status"], reply["uploadedFileSize"], reply["fileName"]) == (2, "300000", "one.mp4")
    assert stored(sandbox, token) == DATA


def test_chunks_in_order(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    assert first(api, token)["status"] == 1
    assert more(api, token, PARTS[1], 100_000)["uploadedFileSize"] == "200000"
    assert more(api, token, PARTS[2], 200_000, final=1)["status"] == 2
    assert stored(sandbox, token) == DATA


def test_a_gap_parks_a_chunk_and_the_count_lags_one_call(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    assert more(api, token, PARTS[2], 200_000)["uploadedFileSize"] == "100000"
    assert parked(sandbox, token) == ["chunk.200000"]
    assert more(api, token, PARTS[1], 100_000)["uploadedFileSize"] == "200000"
    assert more(api, token, b"", 300_000, final=1)["uploadedFileSize"] == "300000"
    assert stored(sandbox, token) == DATA


def test_any_order_in_parallel_gives_the_same_bytes(api: Any, sandbox: Sandbox) -> None:
    token, size = api.token(), 20_000
    api.upload(token, DATA[:size], resume=0, finalChunk=0)
    offsets = list(range(size, len(DATA), size))[::-1]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda at: more(api, token, DATA[at : at + size], at), offsets))
    assert more(api, token, b"", len(DATA), final=1)["status"] == 2
    assert stored(sandbox, token) == DATA


def test_overlap_is_overwritten_and_duplicates_are_parked(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    assert more(api, token, DATA[50_000:150_000], 50_000)["uploadedFileSize"] == "150000"
    assert more(api, token, DATA[50_000:150_000], 50_000)["uploadedFileSize"] == "150000"
    assert parked(sandbox, token) == ["chunk.50000"]
    assert more(api, token, DATA[100_000:], 100_000, final=1)["status"] == 2
    assert stored(sandbox, token) == DATA


def test_a_late_head_is_written_back_over_the_file(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    more(api, token, b"X" * 100_000, 0)
    more(api, token, PARTS[1], 100_000)
    assert more(api, token, PARTS[2], 200_000, final=1)["status"] == 2
    assert stored(sandbox, token) == b"X" * 100_000 + DATA[100_000:]


def test_the_first_chunk_sent_again_restarts_the_file(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    more(api, token, PARTS[1], 100_000)
    assert first(api, token)["uploadedFileSize"] == "100000"
    assert stored(sandbox, token) == PARTS[0]


def test_appending_without_offset(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    assert api.upload(token, PARTS[1], resume=1, finalChunk=0)["uploadedFileSize"] == "200000"
    assert api.upload(token, PARTS[2], resume=1, finalChunk=1, resumeAt=-1)["status"] == 2
    assert stored(sandbox, token) == DATA


def test_a_final_chunk_waits_for_what_is_missing(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    with ThreadPoolExecutor(1) as pool:
        final = pool.submit(more, api, token, PARTS[2], 200_000, final=1)
        time.sleep(0.15)
        more(api, token, PARTS[1], 100_000)
        assert final.result()["status"] == 2
    assert stored(sandbox, token) == DATA


def test_a_final_chunk_with_a_gap_fails_after_the_wait_and_may_be_repeated(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    started = time.monotonic()
    assert api.code(more(api, token, PARTS[2], 200_000, final=1)) == "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE"
    assert time.monotonic() - started > 0.4
    assert api("uploadToken", "get", uploadTokenId=token)["status"] == 1
    more(api, token, PARTS[1], 100_000)
    assert more(api, token, PARTS[2], 200_000, final=1)["status"] == 2
    assert stored(sandbox, token) == DATA


def test_a_final_chunk_that_ends_before_the_file_does_never_matches(api: Any) -> None:
    token = api.token()
    api.upload(token, DATA[:200_000], resume=0, finalChunk=0)
    reply = more(api, token, DATA[100_000:150_000], 100_000, final=1)
    assert api.code(reply) == "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE"


def test_an_empty_chunk_is_discarded(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    assert more(api, token, b"", 100_000)["uploadedFileSize"] == "100000"
    assert parked(sandbox, token) == []


def test_resuming_needs_a_first_chunk(api: Any) -> None:
    assert api.code(more(api, api.token(), PARTS[1], 100_000)) == "UPLOAD_TOKEN_CANNOT_RESUME"


def test_a_full_token_takes_no_more(api: Any) -> None:
    token = api.full_token(DATA)
    assert api.code(first(api, token)) == "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD"
    assert api.code(more(api, token, b"", 300_000, final=1)) == "UPLOAD_TOKEN_INVALID_STATUS_FOR_UPLOAD"


def test_a_part_without_file_name_is_an_upload_error(api: Any) -> None:
    token = api.token()
    first(api, token)
    assert api.code(api("uploadToken", "upload", uploadTokenId=token, fileData="text")) == "UPLOAD_ERROR"
    assert api.code(api.upload(token, b"abc", name="")) == "UPLOAD_ERROR"
    assert api("uploadToken", "get", uploadTokenId=token)["status"] == 1
    assert api.code(api("uploadToken", "upload", uploadTokenId=token)) == "MISSING_MANDATORY_PARAMETER"


def test_seven_days_of_rest_end_a_partial_token_but_not_a_pending_one(api: Any, sandbox: Sandbox) -> None:
    pending, partial = api.token(fileName="same.mp4"), api.token(fileName="same.mp4")
    first(api, partial)
    sandbox.control.advance_clock(7 * 86400 + 10)
    api.ks = sandbox.ks()
    assert api.code(first(api, partial)) == "UPLOAD_PASSED_MAX_RESUME_TIME_ALLOWED"
    reply = more(api, partial, PARTS[1], 100_000)
    assert reply["args"] == {"MAX_RESUME_TIME": "604800"}
    assert first(api, pending)["status"] == 1
    listed = api("uploadToken", "list", filter={"fileNameEqual": "same.mp4", "statusEqual": 1})
    assert [token["id"] for token in listed["objects"]] == [pending]


def test_auto_finalize_ends_with_the_declared_size(api: Any, sandbox: Sandbox) -> None:
    token = api.token(fileSize=300_000, autoFinalize=1)
    first(api, token)
    more(api, token, PARTS[2], 200_000)
    assert more(api, token, PARTS[1], 100_000)["status"] == 2
    assert stored(sandbox, token) == DATA
    missing = api("uploadToken", "add", uploadToken={"autoFinalize": 1})
    assert api.code(missing) == "UPLOAD_TOKEN_MISSING_FILE_SIZE"


def test_a_user_sees_only_its_own_tokens(api: Any, user: Any) -> None:
    mine, theirs = user.token(fileName="m.mp4"), api.token(fileName="t.mp4")
    assert user("uploadToken", "list")["totalCount"] == 1
    assert api("uploadToken", "list")["totalCount"] == 2
    assert user.code(user("uploadToken", "get", uploadTokenId=theirs)) == "UPLOAD_TOKEN_NOT_FOUND"
    assert user.code(user.upload(theirs, DATA)) == "UPLOAD_TOKEN_NOT_FOUND"
    assert api.upload(mine, DATA)["status"] == 2


def test_deleted_tokens_are_gone_in_every_way(api: Any) -> None:
    token = api.token(fileName="d.mp4")
    assert api("uploadToken", "delete", uploadTokenId=token) is None
    for reply in (
        api("uploadToken", "get", uploadTokenId=token),
        api("uploadToken", "delete", uploadTokenId=token),
        api.upload(token, DATA),
        api.attach(api.media(), token),
    ):
        assert api.code(reply) == "UPLOAD_TOKEN_NOT_FOUND"
    assert api("uploadToken", "list", filter={"fileNameEqual": "d.mp4", "statusIn": "0,1,2,3,5"})["totalCount"] == 0


def test_names_are_compared_as_the_database_does(api: Any) -> None:
    accented, long, emoji = "R\u00e9sum\u00e9.mp4", "n" * 300 + ".mp4", "clip\U0001f600.mp4"
    token = api.token(fileName=accented)
    found = api("uploadToken", "list", filter={"fileNameEqual": "resume.MP4  "})
    assert [item["id"] for item in found["objects"]] == [token]
    assert len(api("uploadToken", "add", uploadToken={"fileName": long})["fileName"]) == 256
    assert api("uploadToken", "add", uploadToken={"fileName": emoji})["fileName"] == "clip"
    for name in (long, emoji):
        assert api("uploadToken", "list", filter={"fileNameEqual": name})["totalCount"] == 0


def test_a_search_by_name_hides_closed_tokens_unless_asked(api: Any) -> None:
    token = api.full_token(DATA, name="c.mp4")
    api.attach(api.media(), token)
    assert api("uploadToken", "get", uploadTokenId=token)["status"] == 3
    assert api("uploadToken", "list", filter={"fileNameEqual": "c.mp4"})["totalCount"] == 0
    every = {"fileNameEqual": "c.mp4", "statusIn": "0,1,2,3"}
    assert api("uploadToken", "list", filter=every)["totalCount"] == 1


def test_lists_are_paged_and_ordered(api: Any, sandbox: Sandbox) -> None:
    made = []
    for _ in range(35):
        made.append(api.token())
        sandbox.account.clock.advance(1)
    assert len(api("uploadToken", "list")["objects"]) == 30
    page = api("uploadToken", "list", filter={"orderBy": "-createdAt"}, pager={"pageSize": 4, "pageIndex": 2})
    assert [token["id"] for token in page["objects"]] == made[::-1][4:8]
    assert page["totalCount"] == 35
    assert api("uploadToken", "list", pager={"pageIndex": 99})["objects"] == []


@pytest.mark.parametrize("name", ["id", "status", "uploadedFileSize"])
def test_read_only_properties_are_refused(api: Any, name: str) -> None:
    reply = api("uploadToken", "add", uploadToken={name: 1})
    assert reply["args"] == {"PROP_NAME": f"KalturaUploadToken::{name}"}


def test_a_body_that_breaks_off_leaves_nothing(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.fault("reset_during", service="uploadToken", action="upload", bytes=50_000)
    token = api.token()
    with pytest.raises(Exception, match=r"(?i)reset|aborted|broken"):
        api.upload(token, DATA)
    assert api("uploadToken", "get", uploadTokenId=token)["status"] == 0
    assert list(Path(sandbox.account.files.temporary).iterdir()) == []


def test_auto_finalize_without_offsets(api: Any, sandbox: Sandbox) -> None:
    whole = api.token(fileSize=300_000, autoFinalize=1)
    assert api.upload(whole, DATA, resume=0, finalChunk=0)["status"] == 2
    # Any appended chunk that does not exceed the declared size ends the upload, complete or not.
    early = api.token(fileSize=300_000, autoFinalize=1)
    first(api, early)
    reply = api.upload(early, PARTS[1], resume=1, finalChunk=0, resumeAt=-1)
    assert (reply["status"], reply["uploadedFileSize"]) == (2, "200000")


def test_auto_finalize_counts_what_came_twice(api: Any) -> None:
    token = api.token(fileSize=300_000, autoFinalize=1)
    first(api, token)
    more(api, token, PARTS[1], 100_000)
    assert api.code(more(api, token, PARTS[1], 100_000)) == "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE"
    for _ in range(5):
        reply = more(api, token, PARTS[1], 100_000)
    assert api.code(reply) == "INTERNAL_SERVERL_ERROR"


def test_a_token_in_the_historic_error_state(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    sandbox.control.set_token(token, status=6)
    assert api.code(first(api, token)) == "MAX_ALLOWED_CHUNK_COUNT_EXCEEDED"


def test_a_late_restart_truncates_and_can_be_repaired(api: Any, sandbox: Sandbox) -> None:
    token = api.token()
    first(api, token)
    more(api, token, PARTS[1], 100_000)
    first(api, token)
    assert api.code(more(api, token, PARTS[2], 200_000, final=1)) == "UPLOAD_TOKEN_CANNOT_MATCH_EXPECTED_SIZE"
    more(api, token, PARTS[1], 100_000)
    assert more(api, token, PARTS[2], 200_000, final=1)["status"] == 2
    assert stored(sandbox, token) == DATA
