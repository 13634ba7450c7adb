"""One worker of ``part_scale.py``: a process that ingests batches of files, one batch after another, as Celery's does.

It prints ``ready``, waits for a line, ingests what the line names (a JSON list of lists of paths), and prints ``done``
with its processor seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from kaltura_provider.api.client import KalturaClient
from kaltura_provider.api.credentials import AuthMethod, Credentials
from kaltura_provider.api.observer import Observer
from kaltura_provider.ingest.item import ItemState, SourceItem
from kaltura_provider.ingest.send import ingest
from kaltura_provider.upload.settings import UploadSettings
from kaltura_provider.upload.sources.file import open_file
from kaltura_provider.upload.uploader import Uploader


def main() -> None:
    """Ingest what the line on standard input names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--partner", type=int)
    parser.add_argument("--secret")
    options = parser.parse_args()
    credentials = Credentials(partner_id=options.partner, auth=AuthMethod.SECRET, secret=options.secret)
    print("ready", flush=True)
    batches = json.loads(sys.stdin.readline())
    for batch in batches:
        _ingest(options.url, credentials, [Path(path) for path in batch])
    print(f"done {time.process_time():.3f}", flush=True)


def _ingest(url: str, credentials: Credentials, paths: list[Path]) -> None:
    sources = [open_file(path) for path in paths]
    pairs = [
        (SourceItem(uri=path.as_uri(), size=source.size, validator=source.validator), lambda opened=source: opened)
        for path, source in zip(paths, sources, strict=True)
    ]
    with KalturaClient(url, credentials, observer=Observer()) as client:
        results = ingest(client, Uploader(client, settings=UploadSettings(parallelism=1)), pairs)
    for source in sources:
        source.close()
    if not all(result.ref.state is ItemState.DONE for result in results):
        raise RuntimeError(f"not all were ingested: {results}")


if __name__ == "__main__":
    main()
