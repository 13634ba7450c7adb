"""Notices feeds whose files have vanished: Airflow removes their DAGs without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.feeds.files.load import load_feeds
from kaltura_provider.feeds.outcome.run_note import NOTE_KEY
from kaltura_provider.hooks.masking import MaskedArguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from kaltura_provider.feeds.files.load import Feeds
    from kaltura_provider.feeds.state.watermark import StateStore

__all__ = ["KalturaVanishedFeedsOperator"]

_KNOWN = "known_feeds"
_NOTIFY = "notify_{}"
_MAX_IN_NOTE = 10


class KalturaVanishedFeedsOperator(MaskedArguments, BaseOperator):
    """Say once of each feed that it is no longer in its folder: in the log, the note of the run, and by its notifiers.

    A feed whose file has an error has not vanished: Airflow shows an import error for it. The task needs one Airflow
    asset among its inlets, whose state keeps the names of the feeds from run to run.

    :param folder: absolute path of the folder that holds the YAML files.
    :return: the names of the feeds that have vanished since the last run.
    :raises FileNotFoundError: the folder does not exist, so nothing can be said of its feeds.
    """

    def __init__(self, *, folder: str | Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = str(folder)

    def execute(self, context: Context) -> list[str]:
        """Return the names."""
        state: Any = context.get("asset_state_store")
        if state is None:
            raise ValueError("give this task one Airflow asset as an inlet, which keeps the names of the feeds")
        folder = Path(self.folder)
        if not folder.is_dir():
            raise FileNotFoundError(f"folder {folder} does not exist; correct the path, or mount the folder")
        loaded = load_feeds(folder)
        known = dict(state.get(_KNOWN) or {})
        gone = {name: file for name, file in known.items() if _is_gone(name, file, loaded)}
        if gone:
            self._tell(context, gone, state)
        present = {name: path.name for name, path in loaded.paths.items()}
        kept = {name: file for name, file in known.items() if name not in gone}
        _remember(state, loaded, {**kept, **present}, known)
        return sorted(gone)

    def _tell(self, context: Context, gone: Mapping[str, str], state: StateStore) -> None:
        """Tell of all feeds in one message, and each notifier of theirs of those that it is for."""
        ti: Any = context["ti"]
        ti.xcom_push(key=NOTE_KEY, value=_note(gone))
        self.log.warning("%s", _message(gone, self.folder))
        for_each: dict[str, dict[str, str]] = {}
        for name, file in gone.items():
            for notification in state.get(_NOTIFY.format(name)) or ():
                for_each.setdefault(json.dumps(notification, sort_keys=True), {})[name] = file
        for notification, feeds in for_each.items():
            self._notify(context, json.loads(notification), feeds)

    def _notify(self, context: Context, notification: Mapping[str, Any], feeds: Mapping[str, str]) -> None:
        from kaltura_provider.feeds.outcome.notify import notifier_class

        names: Any = {**context, "run_message": _message(feeds, self.folder), "run_note": _note(feeds)}
        try:
            notifier_class(notification["notifier"])(**notification["arguments"])(names)
        except Exception:
            self.log.exception("The notifier %s failed.", notification["notifier"])


def _is_gone(name: str, file: str, loaded: Feeds) -> bool:
    broken = any(problem.path.name == file for problem in loaded.problems)
    return name not in loaded.paths and not broken


def _remember(state: StateStore, loaded: Feeds, now: Mapping[str, str], before: Mapping[str, str]) -> None:
    for feed in loaded.feeds:
        # A feed without notifiers may have had some.
        said = [one.model_dump(mode="json", include={"notifier", "arguments"}) for one in feed.notify]
        key = _NOTIFY.format(feed.name)
        if said != (state.get(key) or []):
            state.set(key, said)
    for name in before.keys() - now.keys():
        state.delete(_NOTIFY.format(name))
    if now != before:
        state.set(_KNOWN, dict(now))


def _note(feeds: Mapping[str, str]) -> str:
    more = f" and {len(feeds) - _MAX_IN_NOTE} more" if len(feeds) > _MAX_IN_NOTE else ""
    return f"no longer there: {', '.join(sorted(feeds)[:_MAX_IN_NOTE])}{more}"


def _message(feeds: Mapping[str, str], folder: str) -> str:
    lines = [f"  feed {name} ({file})" for name, file in sorted(feeds.items())]
    return "\n".join([f"These feeds are no longer in {folder}, so Airflow starts no more runs of them:", *lines])
