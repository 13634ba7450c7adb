"""Finds the feeds that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kaltura_provider.cli.running import UsageError

if TYPE_CHECKING:
    import argparse

    from kaltura_provider.feeds.schema import Feed

__all__ = ["feed_named", "folder_of"]


def folder_of(args: argparse.Namespace) -> Path:
    """Return the folder of the feeds.

    :raises UsageError: the folder does not exist.
    """
    if args.feeds_folder:
        folder = Path(args.feeds_folder).absolute()
    else:
        from airflow.sdk.configuration import conf

        from kaltura_provider.feeds.files.load import feeds_folder

        folder = feeds_folder(Path(conf.get("core", "dags_folder")) / "any.py").absolute()
    if not folder.is_dir():
        raise UsageError(f"feeds folder {folder} does not exist; give --feeds-folder, or set KALTURA_FEEDS_FOLDER")
    return folder


def feed_named(args: argparse.Namespace) -> Feed:
    """Return the feed that the argument names: a feed of the folder, or a file.

    :raises FeedError: its file is not valid.
    :raises UsageError: the feed does not exist.
    """
    from kaltura_provider.feeds.fields.problems import did_you_mean
    from kaltura_provider.feeds.files.load import FeedError, load_feed, load_feeds

    name: str = args.feed
    if "/" in name or name.endswith((".yaml", ".yml")):
        if not Path(name).exists():
            raise UsageError(f"feed file {name} does not exist; give the path of a feed file, or the name of a feed")
        return load_feed(Path(name))
    folder = folder_of(args)
    loaded = load_feeds(folder)
    found = next((feed for feed in loaded.feeds if feed.name == name), None)
    if found is not None:
        return found
    if wrong := [one for one in loaded.problems if one.path.stem == name]:
        raise FeedError(*wrong)
    meant = did_you_mean(name, loaded.paths) or f"; its feeds are {', '.join(loaded.paths) or 'none'}"
    raise UsageError(f"feed {name!r} is not in {folder}{meant}")
