"""From a real S3 server and a web server without ranges into the sandbox, compared byte by byte."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kaltura_provider.upload.checksum import crc32c, to_base64
from kaltura_provider.upload.sources.errors import SourceChanged, SourceEmpty, SourceNotFound
from kaltura_provider.upload.sources.http import SpooledHttpSource, open_http
from kaltura_provider.upload.sources.policy import UrlPolicy
from kaltura_provider.upload.sources.s3 import open_s3

if TYPE_CHECKING:
    Account = Any

MIB = 1 << 20
Clip = Callable[[int], tuple[Path, str]]


@pytest.fixture
def plain_site(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_from_s3(account: Account, bucket: Any, clip: Clip, quick: Any) -> None:
    path, sha = clip(13 * MIB + 9)
    bucket.upload_file(str(path), "upload-tests", "in/a clip.mp4")
    token = account.token(path.stat().st_size, attached=True)
    source = open_s3(bucket, "upload-tests", "in/a clip.mp4")
    result = quick(account.client).send(source, token, attached=True)
    assert account.content(token, attached=True) == {"sha256": sha, "size": 13 * MIB + 9}
    assert result.crc32c == to_base64(crc32c(path.read_bytes()))


def test_object_replaced_while_it_is_read(account: Account, bucket: Any, clip: Clip, quick: Any) -> None:
    first, _ = clip(2 * MIB)
    second, _ = clip(3 * MIB)
    bucket.upload_file(str(first), "upload-tests", "clip.mp4")
    source = open_s3(bucket, "upload-tests", "clip.mp4")
    bucket.upload_file(str(second), "upload-tests", "clip.mp4")
    token = account.token(2 * MIB, attached=True)
    with pytest.raises(SourceChanged) as caught:
        quick(account.client).send(source, token, attached=True)
    assert str(2 * MIB) in caught.value.expected
    assert str(3 * MIB) in caught.value.found
    assert account.get(token)["status"] == 0


def test_what_is_not_there_and_what_is_empty(bucket: Any) -> None:
    bucket.put_object(Bucket="upload-tests", Key="empty.mp4", Body=b"")
    with pytest.raises(SourceEmpty):
        open_s3(bucket, "upload-tests", "empty.mp4")
    with pytest.raises(SourceNotFound):
        open_s3(bucket, "upload-tests", "missing.mp4")


def test_from_a_web_server_without_ranges(account: Account, plain_site: str, clip: Clip, quick: Any) -> None:
    """A stream that runs only forward still goes up in parallel, with a small spool and with faults."""
    path, sha = clip(20 * MIB + 5)
    policy = UrlPolicy.allowing(["127.0.0.1"])
    source = open_http(f"{plain_site}/{path.name}", policy=policy, spool=10 * MIB)
    assert isinstance(source, SpooledHttpSource)
    token = account.token(path.stat().st_size, attached=True)
    account.control.fault("html_error", service="uploadToken", action="upload", after=5, times=2)
    quick(account.client).send(source, token, attached=True)
    assert account.content(token, attached=True) == {"sha256": sha, "size": 20 * MIB + 5}
    source.close()
