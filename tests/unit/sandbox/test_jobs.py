"""Real conversion, real imports, and both over the death of the process."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from kaltura_sandbox import Sandbox
from kaltura_sandbox.entries import flow
from kaltura_sandbox.entries.picture import picture_size
from kaltura_sandbox.fetching import clean_url, extension_of
from kaltura_sandbox.media import ffmpeg


@pytest.fixture(scope="module")
def working() -> Iterator[Sandbox]:
    with Sandbox(final_wait=0.5, import_retry_delay=0.1, import_attempts=2) as sandbox:
        yield sandbox


@pytest.fixture
def api(working: Sandbox, client: Any) -> Any:
    working.control.wait_idle()
    working.account.reset()
    return client(working)


def test_a_video_becomes_ready_with_real_flavors_and_a_thumbnail(api: Any, working: Sandbox, clip: Path) -> None:
    entry = api.media(name="clip")
    api.attach(entry, api.full_token(clip.read_bytes()))
    assert api.wait(entry, 2, -1) == 2
    working.control.wait_idle()
    shown = api("media", "get", entryId=entry)
    assert (shown["width"], shown["height"], shown["duration"]) == (320, 180, 3)
    assert shown["thumbnailUrl"].endswith("/version/100002")
    flavors = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
    ready = {flavor["flavorParamsId"]: flavor for flavor in flavors if flavor["status"] == 2}
    assert set(ready) >= {0, 2}
    assert shown["flavorParamsIds"] == ",".join(map(str, sorted(ready)))
    assert all(flavor["status"] in (2, 4) for flavor in flavors)
    path = working.account.tables.assets.get(ready[2]["id"])
    assert path is not None
    info = ffmpeg.probe(Path(path["_path"]))
    assert info is not None
    assert (info.height, info.video_codec, info.has_audio) == (180, "avc1", True)
    assert ready[0]["size"] == clip.stat().st_size // 1024
    url = api("flavorAsset", "getUrl", id=ready[2]["id"])
    assert f"/serveFlavor/entryId/{entry}/" in url


def test_what_is_no_media_ends_in_an_error_that_says_so(api: Any) -> None:
    entry = api.media()
    api.attach(entry, api.full_token(b"just some text, no media at all " * 50))
    assert api.wait(entry, 2, -1) == -1
    flavors = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
    assert "not a media file" in flavors[0]["description"]


def test_sound_alone_converts_too(api: Any, working: Sandbox, tmp_path: Path) -> None:
    sound = tmp_path / "tone.mp3"
    ffmpeg.run(["-f", "lavfi", "-i", "sine=frequency=300:duration=2", str(sound)])
    entry = api.media(mediaType=5)
    api.attach(entry, api.full_token(sound.read_bytes(), name="tone.mp3"))
    assert api.wait(entry, 2, -1) == 2
    working.control.wait_idle()
    flavors = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
    assert {flavor["status"] for flavor in flavors} == {2}
    assert api("media", "get", entryId=entry)["duration"] == 2


def test_pictures_are_ready_at_once(api: Any, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc=size=64x36", "-frames:v", "1", str(picture)])
    entry = api.media(mediaType=2)
    shown = api.attach(entry, api.full_token(picture.read_bytes(), name="a.png"))
    assert (shown["status"], shown["width"], shown["height"], shown["version"]) == (2, 64, 36, "100002")


def test_conversion_faults(api: Any, working: Sandbox, clip: Path) -> None:
    working.control.fault("conversion_failure")
    failed = api.media(name="fails")
    api.attach(failed, api.full_token(clip.read_bytes()))
    assert api.wait(failed, 2, -1) == -1
    working.control.fault("virus")
    infected = api.media(name="virus")
    api.attach(infected, api.full_token(clip.read_bytes()))
    assert api.wait(infected, "virusScan.Infected") == "virusScan.Infected"


def test_replacement_swaps_the_content_when_it_is_ready(api: Any, working: Sandbox, clip: Path, tmp_path: Path) -> None:
    entry = api.media(name="replaced")
    token = api.token()
    api.attach(entry, token)
    source = api("uploadToken", "get", uploadTokenId=token)["attachedObjectId"]
    api.upload(token, clip.read_bytes(), resume=0, finalChunk=1)
    api.wait(entry, 2)
    working.control.wait_idle()
    other = tmp_path / "other.mp4"
    ffmpeg.run(["-i", str(clip), "-t", "1", "-c", "copy", str(other)])
    waiting = api.token()
    resource = {"objectType": "KalturaUploadedFileTokenResource", "token": waiting}
    changed = api("media", "updateContent", entryId=entry, resource=resource)
    assert (changed["status"], changed["replacementStatus"]) == (2, 1)
    temporary = api("media", "get", entryId=changed["replacingEntryId"])
    assert (temporary["displayInSearch"], temporary["replacedEntryId"], temporary["status"]) == (-1, entry, 0)
    api.upload(waiting, other.read_bytes())
    working.control.wait_idle()
    shown = api("media", "get", entryId=entry)
    assert (shown["replacementStatus"], shown["duration"]) == (0, 1)
    assert "replacingEntryId" not in shown
    assert working.control.entry(entry)["content"]["sha256"] == api.sha256(other.read_bytes())
    # The old content's token still leads to the entry.
    assert api("flavorAsset", "get", id=source)["entryId"] == entry
    assert api.code(api("media", "get", entryId=temporary["id"])) == "ENTRY_ID_NOT_FOUND"


class Source(http.server.BaseHTTPRequestHandler):
    """Serves ``server.data``; /moved redirects, /gone is 404, /cut breaks off once in the middle."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        data: bytes = self.server.data  # type: ignore[attr-defined]
        log: list[tuple[str, str, str | None]] = self.server.log  # type: ignore[attr-defined]
        log.append((self.command, self.path, self.headers.get("Range")))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/clip.mp4?signature=secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/gone"):
            self.send_error(404)
        else:
            self._serve(data, body=body, cut=self.path.startswith("/cut"))

    def _serve(self, data: bytes, *, body: bool, cut: bool) -> None:
        wanted = self.headers.get("Range")
        start = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if body:
            self.wfile.write(data[start : len(data) // 2] if cut and not wanted else data[start:])
            self.close_connection = cut

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def source(clip: Path) -> Iterator[Any]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    server.data, server.log = clip.read_bytes(), []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["clip.mp4?X-Amz-Signature=abc", "moved.mp4", "cut.mp4"])
def test_imports_fetch_for_real(api: Any, working: Sandbox, source: Any, path: str) -> None:
    url = f"http://127.0.0.1:{source.server_port}/{path}"
    entry = api("media", "addFromUrl", mediaEntry={"mediaType": 1}, url=url)
    assert (entry["status"], entry["sourceType"]) == (0, "5")
    assert api.wait(entry["id"], 2, -1, -2) == 2
    assert working.control.entry(entry["id"])["content"]["sha256"] == api.sha256(source.data)
    if path.startswith("cut"):
        assert ("GET", "/cut.mp4", f"bytes={len(source.data) // 2}-") in source.log


def test_an_import_that_fails_is_retried_and_then_given_up(api: Any, source: Any) -> None:
    url = f"http://127.0.0.1:{source.server_port}/gone.mp4"
    entry = api("media", "addFromUrl", mediaEntry={"mediaType": 1}, url=url)["id"]
    assert api.wait(entry, -2) == -2
    assert [method for method, *_ in source.log].count("GET") == 2
    resource = {"objectType": "KalturaUrlResource", "url": url}
    assert api.code(api("media", "addContent", entryId=entry, resource=resource)) == "ENTRY_ALREADY_WITH_CONTENT"


def test_an_import_looks_by_head_and_then_gets(api: Any, source: Any) -> None:
    url = f"http://127.0.0.1:{source.server_port}/clip.mp4"
    entry = api("media", "addFromUrl", mediaEntry={"mediaType": 1}, url=url)["id"]
    assert api.wait(entry, 2) == 2
    assert source.log == [("HEAD", "/clip.mp4", None), ("GET", "/clip.mp4", None)]


class GetOnly(http.server.BaseHTTPRequestHandler):
    """Refuses HEAD, as a URL presigned for GET does; ``page`` is the length of its error page."""

    def do_HEAD(self) -> None:
        self.server.log.append("HEAD")  # type: ignore[attr-defined]
        self.send_response(403)
        if self.server.page is not None:  # type: ignore[attr-defined]
            self.send_header("Content-Length", str(self.server.page))  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        data = self.server.data  # type: ignore[attr-defined]
        self.server.log.append("GET")  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("page", "status", "requests_"),
    [
        (None, -1, ["HEAD", "GET"]),  # as AWS answers; 100 bytes of text are fetched, and no media
        (50, -1, ["HEAD", "GET"]),
        # The error page is longer than the file. The next attempt finds the file there and HEAD refused: it gives up.
        (372, -2, ["HEAD", "GET", "HEAD"]),
    ],
)
def test_a_source_that_refuses_head(api: Any, page: int | None, status: int, requests_: list[str]) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), GetOnly) as server:
        server.data, server.page, server.log = b"no media " * 11, page, []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/tiny.mp4?X-Amz-Signature=abc"
        entry = api("media", "addFromUrl", mediaEntry={"mediaType": 1}, url=url)["id"]
        assert api.wait(entry, -1, -2) == status
        server.shutdown()
    assert server.log == requests_  # type: ignore[attr-defined]


def _container(params_id: int, **resource: Any) -> dict[str, Any]:
    return {"assetParamsId": params_id, "resource": resource}


def _containers(*containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "objectType": "KalturaAssetsParamsResourceContainers",
        "resources": {str(number): container for number, container in enumerate(containers)},
    }


def test_add_content_brings_several_flavors_at_once(api: Any, working: Sandbox, source: Any, clip: Path) -> None:
    data, entry = clip.read_bytes(), api.media()
    late = api.token(fileName="late.mp4")
    url = f"http://127.0.0.1:{source.server_port}/clip.mp4"
    resource = _containers(
        _container(0, objectType="KalturaUploadedFileTokenResource", token=api.full_token(data)),
        _container(2, objectType="KalturaUrlResource", url=url),
        _container(3, objectType="KalturaUploadedFileTokenResource", token=late),
    )
    assert api("media", "addContent", entryId=entry, resource=resource)["status"] == 1
    assert api.upload(late, data)["status"] == 3
    assert api.wait(entry, 2, -1) == 2
    working.control.wait_idle()
    flavors = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
    held = {flavor["flavorParamsId"]: flavor for flavor in flavors if flavor["status"] == 2}
    assert set(held) >= {0, 2, 3}
    assert {int(held[number]["sizeInBytes"]) for number in (0, 2, 3)} == {len(data)}
    # What was brought is not converted again.
    assert len(flavors) == len({flavor["flavorParamsId"] for flavor in flavors})


def test_flavors_without_a_source_make_an_entry_ready(api: Any, clip: Path) -> None:
    entry = api.media()
    token = api.full_token(clip.read_bytes())
    container = {"objectType": "KalturaAssetParamsResourceContainer"} | _container(
        2, objectType="KalturaUploadedFileTokenResource", token=token
    )
    assert api("media", "addContent", entryId=entry, resource=container)["status"] == 2
    (flavor,) = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
    assert (flavor["flavorParamsId"], flavor["status"]) == (2, 2)


def test_containers_that_do_not_fit_change_nothing(api: Any) -> None:
    entry, image = api.media(), api.media(mediaType=2)
    token = {"objectType": "KalturaUploadedFileTokenResource", "token": api.full_token(b"x")}
    unknown = _containers(_container(0, **token), _container(99999, **token))
    assert api.code(api("media", "addContent", entryId=entry, resource=unknown)) == "FLAVOR_PARAMS_ID_NOT_FOUND"
    refused = api("media", "addContent", entryId=image, resource=_containers(_container(0, **token)))
    assert api.code(refused) == "RESOURCE_TYPE_NOT_SUPPORTED"
    assert (api.status(entry), api("uploadToken", "get", uploadTokenId=token["token"])["status"]) == (7, 2)


def test_images_are_fetched_during_the_call(api: Any, source: Any) -> None:
    url = f"http://127.0.0.1:{source.server_port}/gone.png"
    assert api("media", "addFromUrl", mediaEntry={"mediaType": 2}, url=url)["status"] == -2


def test_a_stuck_import_stays_where_it_is(api: Any, working: Sandbox, source: Any) -> None:
    working.control.fault("stuck_import")
    url = f"http://127.0.0.1:{source.server_port}/clip.mp4"
    entry = api("media", "addFromUrl", mediaEntry={"mediaType": 1}, url=url)["id"]
    with pytest.raises(TimeoutError):
        working.control.wait_idle(0.5)
    assert api.status(entry) == 0
    api("media", "delete", entryId=entry)
    working.control.wait_idle()


def test_urls_are_rewritten_as_the_importer_does() -> None:
    assert clean_url("example.com/a b.mp4") == "http://example.com/a%20b.mp4"
    assert clean_url("https://h/a//b?u=http://x") == "https://h/a/b?u=http:/x"
    assert extension_of("https://h/a.MP4?X=1.2") == "mp4"


def test_jobs_and_state_survive_a_killed_process(client: Any, clip: Path, tmp_path: Path) -> None:
    with Sandbox.spawn(data_dir=tmp_path / "state", conversion_delay=0.7, final_wait=1) as sandbox:
        api = client(sandbox)
        entry, token = api.media(name="survives"), api.token(fileName="s.mp4")
        half = clip.stat().st_size // 2
        api.attach(entry, token)
        api.upload(token, clip.read_bytes()[:half], resume=0, finalChunk=0)
        sandbox.kill()
        assert sandbox.pid is None
        sandbox.restart()
        assert api("uploadToken", "get", uploadTokenId=token)["uploadedFileSize"] == str(half)
        api.upload(token, clip.read_bytes()[half:], resume=1, finalChunk=1, resumeAt=half)
        assert api.status(entry) == 1
        sandbox.kill()
        sandbox.restart()
        assert api.wait(entry, 2, -1) == 2
        assert sandbox.control.entry(entry)["content"]["sha256"] == api.sha256(clip.read_bytes())


def test_the_ffmpeg_of_the_package_is_used() -> None:
    assert ffmpeg.binary() == imageio_ffmpeg.get_ffmpeg_exe()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp"])
def test_the_size_of_pictures(tmp_path: Path, name: str) -> None:
    picture = tmp_path / name
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc=size=66x38", "-frames:v", "1", str(picture)])
    assert picture_size(picture) == (66, 38)
    (tmp_path / "text").write_text("no picture")
    assert picture_size(tmp_path / "text") is None


def test_a_conversion_cut_in_the_middle_makes_no_flavor_twice(client: Any, clip: Path, tmp_path: Path) -> None:
    """The state a process leaves that died while ffmpeg was running: renditions are there, their files are not."""
    with Sandbox(data_dir=tmp_path / "state", run_jobs=False) as before:
        api = client(before)
        entry = api.media(name="half converted")
        api.attach(entry, api.full_token(clip.read_bytes()))
        info = ffmpeg.probe(clip)
        assert info is not None
        flow.analysed(before.account, entry, info)
        (job,) = before.account.tables.jobs.find()
        before.account.tables.jobs.change(job["id"], status=2)
    with Sandbox(data_dir=tmp_path / "state") as after:
        api = client(after)
        assert api.wait(entry, 2, -1) == 2
        after.control.wait_idle()
        flavors = api("flavorAsset", "list", filter={"entryIdEqual": entry})["objects"]
        params = [flavor["flavorParamsId"] for flavor in flavors]
        assert len(params) == len(set(params))
        assert all(flavor["status"] in (2, 4) for flavor in flavors)
        assert list(after.account.files.temporary.iterdir()) == []


def test_one_more_flavor_on_request(api: Any, working: Sandbox, clip: Path) -> None:
    entry = api.media(name="more")
    api.attach(entry, api.full_token(clip.read_bytes()))
    api.wait(entry, 2)
    working.control.wait_idle()
    assert api("flavorAsset", "convert", entryId=entry, flavorParamsId=7) is None
    working.control.wait_idle()
    (made,) = api("flavorAsset", "list", filter={"entryIdEqual": entry, "flavorParamsIdEqual": 7})["objects"]
    assert (made["status"], made["height"], made["width"]) == (2, 180, 320)
    record = working.account.tables.assets.get(made["id"])
    assert record is not None
    real = ffmpeg.probe(Path(record["_path"]))
    assert real is not None
    assert (real.width, real.height) == (320, 180)
