"""Checks that the content of entries is delivered to viewers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kaltura_provider.links.entry import ENTRY_LINKS, push_links
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaCheckDeliveryOperator"]

_FORMATS = {"hls": "applehttp", "dash": "mpegdash", "url": "url", "download": "download"}
_KINDS = (*_FORMATS, "thumbnail", "raw")
_EXPECTED = {"hls": "hls", "dash": "dash", "thumbnail": "picture"}


class KalturaCheckDeliveryOperator(KalturaOperator):
    """Check the delivery of an entry: fetch its manifest, file or thumbnail as a viewer would, and report the result.

    :param entry_id: an entry: its id, or the result of an operator that has one.
    :param what: ``hls``, ``dash`` (manifests), ``url``, ``download`` (a file, by redirect), ``raw`` or ``thumbnail``.
        If something other than the expected manifest or picture arrives, the task fails and names it.
    :param options: options of the URL. For manifests and files: ``flavor_ids``, ``flavor_param_ids``, ``tags``,
        ``protocol``, ``min_bitrate``, ``max_bitrate``, ``seek_from``, ``clip_to`` (milliseconds), ``referrer``; for
        ``thumbnail``: ``width``, ``height``, ``type``, ``quality``, ``vid_sec`` ...
        (:func:`~kaltura_provider.api.thumbnail_url`); for ``raw`` ``file_name``, ``version`` ... Numbers may be text.
    :param with_session: whether to send a session, for entries with restricted access. It is never shown.
    :param fetch_timeout: seconds to wait for the connection and between two pieces of data.
    :return: ``{"url", "http_status", "content_type", "kind" (``hls``, ``dash``, ``picture`` or ``file``), "what",
        "size" (bytes), "renditions"}``, as far as known.
    :raises AirflowFailException: an option is not allowed, or the entry does not exist. Content that may be delivered
        later (still being converted, no READY flavor) is retried.
    """

    template_fields: Sequence[str] = ("entry_id", "what", "options", *KalturaOperator.template_fields)
    template_fields_renderers = {"options": "json"}  # noqa: RUF012 - Airflow's own form
    operator_extra_links = ENTRY_LINKS

    def __init__(
        self,
        *,
        entry_id: Any,
        what: str = "hls",
        options: Mapping[str, Any] | None = None,
        with_session: bool = False,
        fetch_timeout: float = 30.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id
        self.what = what
        self.options = options
        self.with_session = with_session
        self.fetch_timeout = fetch_timeout

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return what was delivered."""
        from kaltura_provider.api.delivery_check import DeliveredKind, fetch_delivery

        self._url(None)  # arguments are checked before a session is opened
        url = self._url(self.hook.get_conn().ks() if self.with_session else None)
        expected = DeliveredKind(_EXPECTED[self.what]) if self.what in _EXPECTED else None
        found = asdict(fetch_delivery(url, expected=expected, timeout=self.fetch_timeout))
        found["kind"] = str(found["kind"])
        found["http_status"] = found.pop("status")
        self.log.info("%s: %s, %s bytes", found["url"], found["what"], found["size"])
        push_links(context, self.hook.account, self._checked_id())
        return {name: value for name, value in found.items() if value is not None}

    def _checked_id(self) -> str:
        from kaltura_provider.api.arguments import entry_id

        return entry_id(self.entry_id)

    def _url(self, ks: str | None) -> str:
        """Return the URL.

        :raises KalturaConfigurationError: an option is unknown or not allowed; names it.
        """
        from kaltura_provider.api.delivery import play_manifest_url, raw_url, thumbnail_url
        from kaltura_provider.api.errors import KalturaConfigurationError

        if self.what not in _KINDS:
            raise KalturaConfigurationError("what", self.what, "is unknown", f"use one of {', '.join(_KINDS)}")
        builders: dict[str, Callable[..., str]] = {"thumbnail": thumbnail_url, "raw": raw_url}
        build: Callable[..., str] = builders.get(self.what) or play_manifest_url
        options = _read_options(self.options, build, self.what)
        if self.what in _FORMATS:
            options["format"] = _FORMATS[self.what]
        account = self.hook.account
        return build(account.cdn_host, account.partner_id, self._checked_id(), ks=ks, **options)


def _read_options(given: Any, build: Callable[..., str], what: str) -> dict[str, Any]:
    """Return the checked options of a URL.

    :raises KalturaConfigurationError: they are not a mapping, or one is unknown; names it.
    """
    import inspect

    from kaltura_provider.api.errors import KalturaConfigurationError

    if not isinstance(given or {}, Mapping):
        raise KalturaConfigurationError("options", str(given), "is not a mapping", 'give one such as {"width": 640}')
    known = [p.name for p in inspect.signature(build).parameters.values() if p.kind is p.KEYWORD_ONLY]
    allowed = [name for name in known if name != "ks" and not (name == "format" and what in _FORMATS)]
    options = dict(given or {})
    if unknown := sorted(set(options) - set(allowed)):
        raise KalturaConfigurationError(
            "options", ", ".join(unknown), f"is not an option of {what}", f"use {', '.join(allowed)}"
        )
    return options
