"""``ingest``: bring sources into Kaltura without a scheduler."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kaltura_provider.cli.output import write_rows
from kaltura_provider.cli.progress import shown_progress
from kaltura_provider.cli.running import ExitCode, UsageError, say
from kaltura_provider.upload.sources.s3_address import bucket_and_key

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.ingest.item import ItemRef
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["ingest"]


def ingest(args: argparse.Namespace) -> ExitCode:
    """Ingest each source, and show its entry."""
    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.hooks.observer import AirflowObserver
    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.upload.uploader import Uploader

    addresses = list(dict.fromkeys(address for uri in args.uris for address in _addresses(uri, args)))
    if args.name is not None and len(addresses) != 1:
        raise UsageError(f"--name is for one source, and there are {len(addresses)}; leave it out")
    sources = Sources(aws_conn_id=args.aws_conn_id, http_conn_id=args.http_conn_id)
    with shown_progress() as tell:
        hook = KalturaHook(args.kaltura_conn_id, observer=AirflowObserver(on_chunk=tell))
        uploader = Uploader(hook.get_conn(), observer=hook.observer)
        try:
            refs = [_ingested(address, args, sources, hook, uploader) for address in addresses]
        except KeyboardInterrupt:
            uploader.cancel()
            say("stopped; the same command continues where this one ended")
            raise
    write_rows([_row(ref) for ref in refs], args.output, nothing="There is nothing to ingest.")
    failed = sum(ref.error is not None for ref in refs)
    say(f"{len(refs) - failed} of {len(refs)} in Kaltura. `kaltura status ENTRY` says when an entry can be played.")
    return ExitCode.PROBLEMS if failed else ExitCode.DONE


def _addresses(uri: str, args: argparse.Namespace) -> Iterator[str]:
    """Yield the addresses that an argument means.

    :raises UsageError: it is not an address, or a folder without ``--recursive``.
    """
    from kaltura_provider.feeds.fields.addresses import address_problem
    from kaltura_provider.hooks.sources import shown_address

    if not uri.isascii() and any("\ud800" <= letter <= "\udfff" for letter in uri):
        raise UsageError(f"{shown_address(uri)} is not UTF-8, and names in Kaltura are; rename the file")
    if "://" not in uri:
        path = os.path.abspath(os.path.expanduser(uri))
        if not os.path.isfile(path):
            raise UsageError(
                f"{shown_address(path)} is not a file; give s3://bucket/key, https://... or the path of a file"
            )
        yield path
    elif uri.startswith("file://"):
        yield uri
    elif problem := address_problem(uri):
        raise UsageError(f"{problem}; give s3://bucket/key, https://... or the path of a file")
    elif not uri.startswith("s3://") or ("/" in uri[5:] and not uri.endswith("/")):
        yield uri
    elif args.recursive:
        yield from _below(uri, args.aws_conn_id)
    else:
        raise UsageError(f"{shown_address(uri)} is a folder; give --recursive for all objects below it")


def _below(folder: str, aws_conn_id: str) -> Iterator[str]:
    from kaltura_provider.feeds.sources.listing import select
    from kaltura_provider.hooks.listing import list_s3

    bucket, prefix = bucket_and_key(folder)
    selection = select(list_s3(bucket, prefix, aws_conn_id=aws_conn_id), prefix, ["*"], [])
    for reason, names in selection.left_out.items():
        say(f"left out {len(names)} below {folder}: {reason}")
    yield from sorted(item.uri for item in selection.taken + selection.unsure)


def _ingested(
    address: str, args: argparse.Namespace, sources: Sources, hook: KalturaHook, uploader: Uploader
) -> ItemRef:
    """Ingest one source; a failure becomes part of its reference and does not stop the others.

    :raises KalturaError: Kaltura does not accept the connection, so no other source would get further.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError, KalturaError, KalturaSessionError
    from kaltura_provider.hooks.source_items import failed_source, requested_item
    from kaltura_provider.ingest.send import ingest as ingest_items
    from kaltura_provider.ingest.settings import IfExists, IngestSettings
    from kaltura_provider.upload.sources.errors import SourceError

    fields = {"name": args.name, "description": args.description, "tags": args.tags}
    metadata = {name: value for name, value in fields.items() if value}
    settings = IngestSettings(if_exists=IfExists(args.if_exists))
    try:
        with closing(_opened(address, sources)) as source:
            item = requested_item({"uri": address, "metadata": metadata}, source)
            (done,) = ingest_items(
                hook.get_conn(), uploader, [(item, lambda: source)], settings=settings, observer=hook.observer
            )
            return done.ref
    except (KalturaConfigurationError, KalturaSessionError):
        raise
    except (SourceError, KalturaError, ValueError) as error:
        return failed_source(address, error)


def _opened(address: str, sources: Sources) -> Source:
    from kaltura_provider.upload.sources.file import open_file
    from kaltura_provider.upload.sources.folders import FolderPolicy, is_local, local_path

    if not is_local(address):
        return sources.open(address)
    # Whoever types a path has chosen the file. The deployment's list of folders is for those who cannot use a shell.
    folder = os.path.dirname(os.path.realpath(local_path(address)))
    return open_file(address, FolderPolicy.allowing([folder]))


def _row(ref: ItemRef) -> dict[str, Any]:
    from kaltura_provider.hooks.sources import shown_address

    return {
        "uri": shown_address(ref.uri),
        "state": ref.state.value,
        "entry_id": ref.entry_id,
        "new": ref.made,
        "bytes": ref.size,
        "note": ref.note,
        "error": ref.error.message if ref.error else None,
    }
