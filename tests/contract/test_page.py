"""The page that stands in for the management console."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support import Api

CONSOLE = "/index.php/kmcng/content/entries/entry"
HOSTILE = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects the tags of a page and every address it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "poster", "action")]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_entries_are_listed_with_links_to_each(api: Api, ready: str) -> None:
    reply = api.get("/")
    assert reply.headers["Content-Type"].startswith("text/html")
    assert f"{CONSOLE}/{ready}/metadata" in read(reply.text).addresses
    assert f"/p/102/thumbnail/entry_id/{ready}" in reply.text


def test_an_entry_shows_player_flavors_thumbnails_and_attachments(api: Api, ready: str) -> None:
    made = api.call("attachment_attachmentAsset", "add", entryId=ready, attachmentAsset__title="Notes")
    resource = {"contentResource__objectType": "KalturaStringResource", "contentResource__content": "notes"}
    api.call("attachment_attachmentAsset", "setContent", id=made["id"], **resource)
    page = read(api.get(f"{CONSOLE}/{ready}/metadata").text)
    assert "video" in page.tags
    player = next(address for address in page.addresses if "/format/url/" in address)
    assert api.get(player).status_code == 302
    for address in page.addresses:
        if address.startswith(("/p/", "/api_v3/")):
            assert api.get(address).status_code in (200, 302), address
    assert any(made["id"] in address for address in page.addresses)


def test_nothing_comes_from_another_host_and_no_script_runs(api: Api, ready: str) -> None:
    for path in ("/", f"{CONSOLE}/{ready}/metadata", f"{CONSOLE}/0_nosuchid/metadata"):
        reply = api.get(path)
        page = read(reply.text)
        assert "script" not in page.tags
        assert all(address.startswith("/") and not address.startswith("//") for address in page.addresses)
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_hostile_names_stay_text(api: Api) -> None:
    entry = api.entry(name=HOSTILE)
    api.call("media", "update", entryId=entry, mediaEntry__description=HOSTILE, mediaEntry__tags=HOSTILE)
    api.call("attachment_attachmentAsset", "add", entryId=entry, attachmentAsset__title=HOSTILE)
    for path in ("/", f"{CONSOLE}/{entry}/metadata", "/?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        text = api.get(path).text
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_no_secret_is_on_the_page(api: Api, ready: str) -> None:
    for path in ("/", f"{CONSOLE}/{ready}/metadata"):
        text = api.get(path).text
        assert api.ks not in text
        assert api.sandbox.admin_secret not in text
        assert api.sandbox.user_secret not in text
        assert not re.search(r"/ks/", text)


def test_entries_are_found_by_text_and_status(api: Api, ready: str) -> None:
    other = api.entry(name="needle in the hay")
    found = api.get("/?q=needle").text
    assert other in found
    assert ready not in found
    assert ready in api.get("/?status=2").text
    assert other not in api.get("/?status=2").text


def test_a_waiting_upload_says_how_far_it_is(api: Api) -> None:
    entry = api.entry(name="waits")
    token = str(api.call("uploadToken", "add", uploadToken__fileName="a.mp4", uploadToken__fileSize=4096)["id"])
    resource = {"resource__objectType": "KalturaUploadedFileTokenResource", "resource__token": token}
    api.call("media", "addContent", entryId=entry, **resource)
    part = {"fileData": ("a.mp4", b"x" * 1024)}
    api.call("uploadToken", "upload", uploadTokenId=token, finalChunk=0, files=part)
    assert "1.0 KB of 4.0 KB" in api.get(f"{CONSOLE}/{entry}/metadata").text


def test_a_missing_entry_is_404_and_posting_is_not_for_the_page(api: Api) -> None:
    assert api.get(f"{CONSOLE}/0_nosuchid/metadata").status_code == 404
    assert api.http.post(api.sandbox.url + "/", timeout=10).status_code == 404
    assert api.get("/nothing").status_code == 404
