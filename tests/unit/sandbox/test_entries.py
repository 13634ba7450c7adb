"""Entries: properties, visibility and the ways they change."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_sandbox import Sandbox

EVERY = {"statusIn": "-2,-1,0,1,2,3,4,5,6,7", "moderationStatusIn": "1,2,3,4,5,6"}


def ids(reply: Any) -> list[str]:
    return [entry["id"] for entry in reply["objects"]]


def test_tags_are_normalised(api: Any) -> None:
    sent = {"mediaType": 1, "tags": "Alpha,b, alpha ,Two Words,", "adminTags": "X, y ,x"}
    entry = api("media", "add", entry=sent)
    assert entry["tags"] == "alpha, two words"
    assert entry["adminTags"] == "x,y"


def test_defaults_of_a_new_entry(api: Any, sandbox: Sandbox) -> None:
    entry = api("media", "add", entry={"mediaType": 1})
    assert entry["name"] == f"102_{entry['createdAt']}"
    assert (entry["status"], entry["sourceType"], entry["version"]) == (7, "6", 0)
    assert entry["downloadUrl"].startswith(f"{sandbox.url}/p/102/sp/10200/playManifest/entryId/{entry['id']}")
    assert "referenceId" not in entry


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"name": "x"}, "PROPERTY_VALIDATION_CANNOT_BE_NULL"),
        ({"mediaType": 77}, "INVALID_ENUM_VALUE"),
        ({"mediaType": 1, "id": "0_x"}, "PROPERTY_VALIDATION_NOT_UPDATABLE"),
        ({"mediaType": 1, "referenceId": "a"}, "PROPERTY_VALIDATION_MIN_LENGTH"),
        ({"mediaType": 1, "conversionProfileId": 9999}, "CONVERSION_PROFILE_ID_NOT_FOUND"),
        ({"mediaType": 1, "accessControlId": 9999}, "ACCESS_CONTROL_ID_NOT_FOUND"),
        ({"mediaType": 1, "startDate": 2000000000, "endDate": 1900000000}, "INVALID_ENTRY_SCHEDULE_DATES"),
        ({"mediaType": 1, "displayInSearch": 2}, "ENTRY_DISPLAY_IN_SEARCH_VALUE_NOT_ALLOWED"),
        ({"mediaType": 1, "parentEntryId": "0_x"}, "PARENT_ENTRY_ID_NOT_FOUND"),
        ({"mediaType": 1, "name": "bell\x07"}, "INVALID_PARAMETER_CHAR"),
        ({"mediaType": 1, "categoriesIds": "99"}, "CATEGORY_NOT_FOUND"),
    ],
)
def test_what_add_refuses(api: Any, entry: dict[str, Any], code: str) -> None:
    assert api.code(api("media", "add", entry=entry)) == code


def test_update_changes_only_what_is_sent(api: Any) -> None:
    entry = api.media(name="old", description="kept", tags="aa")
    reply = api("media", "update", entryId=entry, mediaEntry={"name": "new", "description__null": ""})
    assert (reply["name"], reply["description"], reply["tags"]) == ("new", "", "aa")
    assert api("media", "update", entryId=entry, mediaEntry={"mediaType": 1})["id"] == entry
    refused = api("media", "update", entryId=entry, mediaEntry={"mediaType": 2})
    assert api.code(refused) == "PROPERTY_VALIDATION_NOT_UPDATABLE"


def test_a_users_reference_id_is_dropped_with_a_header(user: Any) -> None:
    entry = user("media", "add", entry={"mediaType": 1, "referenceId": "ref-1"})
    assert "referenceId" not in entry
    assert "KalturaBaseEntry-referenceId-error" in user.headers


def test_a_user_owns_what_it_makes_and_nothing_else(api: Any, user: Any, sandbox: Sandbox) -> None:
    theirs = api.media(name="theirs")
    for reply in (
        user("media", "update", entryId=theirs, mediaEntry={"name": "x"}),
        user("media", "delete", entryId=theirs),
        user("media", "add", entry={"mediaType": 1, "userId": "other"}),
    ):
        assert reply["args"] == {"KSID": "", "ERR_CODE": "-4", "ERR_DESC": "INVALID_TYPE"}
    user.ks = sandbox.ks("lecturer", admin=False, privileges="edit:*")
    assert user("media", "update", entryId=theirs, mediaEntry={"name": "x"})["name"] == "x"
    assert (
        user.code(user("media", "add", entry={"mediaType": 1, "adminTags": "x"}))
        == "PROPERTY_VALIDATION_ADMIN_PROPERTY"
    )


def test_lists_show_only_ready_and_accepted_entries_by_default(api: Any, sandbox: Sandbox) -> None:
    ready, waiting, rejected, hidden = (api.media(name=name) for name in "abcd")
    for entry in (ready, rejected, hidden):
        sandbox.control.set_entry(entry, status=2)
    sandbox.control.set_entry(rejected, moderationStatus=3)
    sandbox.control.set_entry(hidden, displayInSearch=-1)
    assert ids(api("media", "list")) == [ready]
    assert api("media", "count") == 1
    assert ids(api("media", "list", filter={"idEqual": waiting})) == [waiting]
    assert ids(api("media", "list", filter={"idIn": f"{waiting},{ready}"})) == [ready]
    assert set(ids(api("media", "list", filter=EVERY))) == {ready, waiting, rejected}
    assert set(ids(api("media", "list", filter={**EVERY, "displayInSearchIn": "-1,1"}))) == {
        ready,
        waiting,
        rejected,
        hidden,
    }


def test_reference_ids_ignore_case_and_are_not_unique(api: Any) -> None:
    made = {api.media(referenceId=reference) for reference in ("Ref-1", "ref-1 ", "other")}
    assert len(made) == 3
    assert api("baseEntry", "listByReferenceId", refId="REF-1")["totalCount"] == 2
    assert api("media", "list", filter={**EVERY, "referenceIdEqual": "ref-1"})["totalCount"] == 2
    assert api("media", "list", filter={"referenceIdEqual": "ref-1"})["totalCount"] == 0
    assert api("media", "list", filter={**EVERY, "referenceIdIn": "REF-1,other"})["totalCount"] == 3
    assert api.code(api("baseEntry", "listByReferenceId", refId="")) == "MISSING_MANDATORY_PARAMETER"
    long = "r" * 2006
    assert api("media", "add", entry={"mediaType": 1, "referenceId": long})["referenceId"] == long


def test_admin_tags_can_be_searched_at_once(api: Any) -> None:
    marks = [f"kai1:a:{number:032x}" for number in range(3)]
    entries = [api.media(adminTags=f"{mark},other") for mark in marks]
    found = api("baseEntry", "list", filter={**EVERY, "adminTagsMultiLikeOr": ",".join(marks[:2])})
    assert ids(found) == entries[:2]
    both = {**EVERY, "adminTagsMultiLikeAnd": f"{marks[2]},other"}
    assert ids(api("baseEntry", "list", filter=both)) == entries[2:]
    assert ids(api("baseEntry", "list", filter={**EVERY, "adminTagsLike": marks[0].upper()})) == entries[:1]


def test_search_by_words_times_and_names(api: Any, sandbox: Sandbox) -> None:
    first = api.media(name="Opening Lecture", tags="physics, first term")
    sandbox.account.clock.advance(5000)
    second = api.media(name="Closing", description="a lecture about light")
    assert ids(api("media", "list", filter={**EVERY, "freeText": "lecture"})) == [first, second]
    assert ids(api("media", "list", filter={**EVERY, "nameLike": "opening"})) == [first]
    assert ids(api("media", "list", filter={**EVERY, "tagsMultiLikeOr": "first term,zz"})) == [first]
    assert ids(api("media", "list", filter={**EVERY, "createdAtGreaterThanOrEqual": -3600})) == [second]
    assert ids(api("media", "list", filter={**EVERY, "orderBy": "-createdAt"})) == [second, first]
    assert ids(api("media", "list", filter={**EVERY, "orderBy": "+name"})) == [second, first]


def test_pages(api: Any) -> None:
    made = [api.media(name=f"n{number}") for number in range(7)]
    page = api("media", "list", filter=EVERY, pager={"pageSize": 3, "pageIndex": 3})
    assert (page["totalCount"], ids(page)) == (7, made[6:])
    beyond = api("media", "list", filter=EVERY, pager={"pageSize": 500, "pageIndex": 21})
    assert api.code(beyond) == "QUERY_EXCEEDED_MAX_MATCHES_ALLOWED"


def test_a_user_lists_its_own_unless_it_names_what_it_wants(api: Any, user: Any, sandbox: Sandbox) -> None:
    theirs = api.media(referenceId="shared")
    mine = user.media(name="mine")
    assert ids(user("media", "list", filter=EVERY)) == [mine]
    assert ids(user("media", "list", filter={**EVERY, "referenceIdEqual": "shared"})) == [theirs]
    assert user("media", "count", filter={**EVERY, "referenceIdEqual": "shared"}) == 0
    user.ks = sandbox.ks("lecturer", admin=False, privileges="list:*")
    assert len(ids(user("media", "list", filter=EVERY))) == 2


def test_get_by_ids_reads_the_database(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.set_lag(60)
    try:
        one, two = api.media(name="1"), api.media(name="2")
        api("media", "delete", entryId=two)
        reply = api(
            "baseEntry",
            "getByIds",
            entryIds=f"{one},{two},{one},0_nosuch",
            responseProfile={"type": 1, "fields": "id,status"},
        )
        assert reply == [{"id": one, "status": 7, "type": 1, "objectType": "KalturaMediaEntry"}]
    finally:
        sandbox.control.set_lag(0)


def test_lists_lag_behind_get(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.set_lag(30)
    try:
        entry = api.media(referenceId="late")
        assert api("media", "get", entryId=entry)["id"] == entry
        assert api("baseEntry", "listByReferenceId", refId="late")["totalCount"] == 0
        assert ids(api("media", "list", filter={"idEqual": entry})) == [entry]
        sandbox.control.advance_clock(31)
        assert api("baseEntry", "listByReferenceId", refId="late")["totalCount"] == 1
    finally:
        sandbox.control.set_lag(0)


def test_a_stale_list_until_the_fault_ends(api: Any, sandbox: Sandbox) -> None:
    before = api.media(name="before")
    fault = sandbox.control.fault("stale_list")
    api.media(name="after")
    assert ids(api("media", "list", filter=EVERY)) == [before]
    sandbox.control.clear_faults(fault)
    assert api("media", "list", filter=EVERY)["totalCount"] == 2


def test_deleted_entries_are_found_only_by_those_who_ask(api: Any) -> None:
    entry = api.media(name="gone", adminTags="mark")
    assert api("media", "delete", entryId=entry) is None
    assert api.code(api("media", "get", entryId=entry)) == "ENTRY_ID_NOT_FOUND"
    assert api.code(api("media", "delete", entryId=entry)) == "ENTRY_ID_NOT_FOUND"
    assert api("media", "list", filter={"idEqual": entry})["objects"][0]["status"] == 3
    assert ids(api("media", "list", filter={**EVERY, "adminTagsLike": "mark"})) == [entry]


def test_recycling_hides_an_entry_and_keeps_its_status(api: Any, sandbox: Sandbox) -> None:
    entry = api.media(name="bin", referenceId="binned")
    assert api.code(api("baseEntry", "recycle", entryId=entry)) == "INVALID_ENTRY_STATUS_FOR_RECYCLE"
    sandbox.control.set_entry(entry, status=2)
    api("baseEntry", "recycle", entryId=entry)
    shown = api("baseEntry", "getByIds", entryIds=entry)[0]
    assert (shown["status"], shown["displayInSearch"]) == (2, -2)
    assert api("baseEntry", "listByReferenceId", refId="binned")["totalCount"] == 0
    api("baseEntry", "restoreRecycled", entryId=entry)
    assert api("baseEntry", "listByReferenceId", refId="binned")["totalCount"] == 1


def test_entitlement_hides_entries_even_from_admins(api: Any, sandbox: Sandbox) -> None:
    entry = api.media(referenceId="entitled")
    api.ks = sandbox.ks(privileges="enableentitlement")
    assert api("baseEntry", "getByIds", entryIds=entry) == []
    assert api("baseEntry", "listByReferenceId", refId="entitled")["totalCount"] == 0
    api.ks = sandbox.ks()
    assert len(api("baseEntry", "getByIds", entryIds=entry)) == 1


def test_moderation(api: Any, sandbox: Sandbox) -> None:
    entry = api.media(name="m")
    assert api.code(api("media", "flag", moderationFlag={"flaggedEntryId": entry})) == "ENTRY_CANNOT_BE_FLAGGED"
    sandbox.control.set_entry(entry, status=2)
    assert api("media", "flag", moderationFlag={"flaggedEntryId": entry, "flagType": 4}) is None
    assert api("media", "get", entryId=entry)["moderationStatus"] == 5
    api("media", "reject", entryId=entry)
    assert api("media", "list")["totalCount"] == 0
    api("media", "approve", entryId=entry)
    assert api("media", "list")["totalCount"] == 1


def test_data_entries_hold_their_payload(api: Any) -> None:
    entry = api("data", "add", dataEntry={"name": "d", "dataContent": '{"a":1}'})
    assert (entry["status"], entry["dataContent"], entry["version"]) == (2, '{"a":1}', "100002")
    changed = api("data", "update", entryId=entry["id"], documentEntry={"dataContent": "new"})
    assert changed["dataContent"] == "new"
    assert api.code(api("media", "get", entryId=entry["id"])) == "ENTRY_ID_NOT_FOUND"
    quiet = api("data", "add", dataEntry={"dataContent": "x", "retrieveDataContentByGet": 0})
    assert "dataContent" not in (shown := api("data", "get", entryId=quiet["id"])) or shown["dataContent"] == ""


def test_the_top_level_type_decides_what_an_upload_becomes(api: Any) -> None:
    def made(name: str, **params: Any) -> Any:
        token = api.full_token(b"text", name=name)
        return api("baseEntry", "addFromUploadedFile", entry={"name": name}, uploadTokenId=token, **params)

    assert made("notes.bin", type=6)["type"] == 6
    automatic = made("movie.mp4")
    assert (automatic["type"], automatic["mediaType"], automatic["status"]) == (1, 1, 1)
    assert made("notes.xyz")["type"] == -1


def test_old_document_service_lacks_add_content(api: Any) -> None:
    entry = api("baseEntry", "add", entry={"objectType": "KalturaDocumentEntry", "documentType": 11}, type=10)
    token = api.full_token(b"%PDF-1.4 x", name="a.pdf")
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": token}
    forbidden = api("document", "addContent", entryId=entry["id"], resource=resource)
    assert forbidden["args"] == {"SERVICE": "document->addContent"}
    done = api("document_documents", "addContent", entryId=entry["id"], resource=resource)
    assert (done["status"], done["documentType"], done["assetParamsIds"]) == (2, 13, "0")
    assert api("flavorAsset", "list", filter={"entryIdEqual": entry["id"]})["totalCount"] == 1


def test_languages_of_the_wire(api: Any, sandbox: Sandbox) -> None:
    entry = api.media(name="x")
    for number, start in ((1, "{"), (2, "<?xml"), (3, "a:")):
        url = f"{sandbox.service_url}/service/media/action/get/entryId/{entry}/format/{number}?ks={api.ks}"
        assert api._session.get(url).text.startswith(start)
    assert api._session.get(f"{sandbox.service_url}/service/system/action/ping?format=7").text == ""


def test_texts_in_every_language(api: Any) -> None:
    entry = api.media(name="n", description="d")
    shown = api("media", "get", entryId=entry, language="multi")
    assert shown["name"] == [{"language": "default", "value": "n", "objectType": "KalturaMultiLingualString"}]
    assert api("media", "get", entryId=entry, language="en")["name"] == "n"
    assert api.code(api("media", "get", entryId=entry, language="english")) == "INVALID_LANGUAGE_CODE"


def test_clones_stand_on_their_own(api: Any, sandbox: Sandbox) -> None:
    entry = api.media(name="original", tags="aa")
    api.attach(entry, api.full_token(b"content"))
    copy = api("baseEntry", "clone", entryId=entry)
    assert copy["id"] != entry
    assert copy["tags"] == "aa"
    api("media", "delete", entryId=entry)
    assert sandbox.control.entry(copy["id"])["content"]["sha256"] == api.sha256(b"content")


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ({"statusEqual": 99}, "KalturaEntryStatus"),
        ({"objectType": "KalturaMediaEntryFilter", "mediaTypeEqual": 77}, "KalturaMediaType"),
        ({"typeEqual": 3}, "KalturaEntryType"),
        ({"moderationStatusEqual": 9}, "KalturaEntryModerationStatus"),
    ],
)
def test_filters_check_their_enumerations(api: Any, condition: dict[str, Any], kind: str) -> None:
    reply = api("baseEntry", "list", filter=condition)
    assert reply["args"]["ENUM_TYPE"] == kind
    assert api("baseEntry", "list", filter={"statusIn": "99,abc"})["totalCount"] == 0


def test_a_filter_ignores_what_its_class_does_not_have(api: Any) -> None:
    api.media()
    anything = {"statusIn": "7", "moderationStatusIn": "1,6"}
    assert api("baseEntry", "list", filter={**anything, "mediaTypeEqual": 5})["totalCount"] == 1
    of_media = {**anything, "mediaTypeEqual": 5, "objectType": "KalturaMediaEntryFilter"}
    assert api("baseEntry", "list", filter=of_media)["totalCount"] == 0
    assert api("media", "list", filter={**anything, "mediaTypeEqual": 5})["totalCount"] == 0


def test_reset_undoes_what_a_test_set(api: Any, sandbox: Sandbox) -> None:
    sandbox.control.set_lag(60)
    sandbox.control.advance_clock(5000)
    api.media(name="gone", categories="A>B")
    sandbox.control.fault("latency", seconds=9)
    sandbox.control.reset()
    state = sandbox.control.state()
    assert (state["live_entries"], state["clock_offset"], state["calls"]) == (0, 0, {})
    entry = api.media(name="new", referenceId="seen-at-once", categories="A>B")
    assert ids(api("baseEntry", "listByReferenceId", refId="seen-at-once")) == [entry]
    assert api("media", "get", entryId=entry)["categories"] == "A>B"
