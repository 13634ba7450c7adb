"""Build the URLs that deliver content to viewers and programs. The functions check their arguments and make no request.

``cdn_host`` is the host that delivers content, with or without scheme (``cdnapisec.kaltura.com``). Numbers may be
text, and the reference of a source item may stand for its entry. A URL with a ``ks`` is a secret: whoever has it has
the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kaltura_provider.api.arguments import asset_id, flag, number
from kaltura_provider.api.arguments import entry_id as entry_value
from kaltura_provider.api.enums import PlaybackFormat
from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.thumbnails import THUMBNAIL_FORMATS, thumbnail_url
from kaltura_provider.api.url_path import delivery_base, encode_referrer, file_name_value, optional, path_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "THUMBNAIL_FORMATS",
    "download_url",
    "play_manifest_url",
    "raw_url",
    "serve_flavor_url",
    "source_download_url",
    "thumbnail_url",
]

_PROTOCOLS = ("http", "https", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtsp")


def play_manifest_url(
    cdn_host: str,
    partner_id: int | str,
    entry_id: str | Mapping[str, Any],
    *,
    format: PlaybackFormat | str = PlaybackFormat.HLS,
    protocol: str | None = None,
    flavor_ids: str | Iterable[str] | None = None,
    flavor_param_ids: int | str | Iterable[int | str] | None = None,
    tags: str | None = None,
    min_bitrate: int | str | None = None,
    max_bitrate: int | str | None = None,
    seek_from: int | str | None = None,
    clip_to: int | str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
) -> str:
    """Return the playback URL of a video, an audio or a live entry.

    HLS and DASH answer with a manifest, ``url`` and ``download`` with a redirect to a file. By default the server
    chooses flavors by their tags (``mbr``, ``web``, ``dash`` ...) and answers with HTTP 404 while none of them is
    READY. ``flavor_param_ids=[0]`` selects the source.

    :param format: ``hls``, ``dash``, ``url``, ``download`` ..., or Kaltura's own name such as ``applehttp``.
    :param protocol: protocol of the URLs in the answer; by default the scheme of ``cdn_host``.
    :param flavor_ids: one id, a list, or comma-separated text; the same goes for ``flavor_param_ids``.
    :param tags: offer the flavors with these tags.
    :param min_bitrate: in kbit/s, like ``max_bitrate``.
    :param seek_from: where to begin, in milliseconds of the video.
    :param clip_to: where to end, in milliseconds of the video.
    :raises KalturaConfigurationError: an argument is not valid; names it.
    """
    base = delivery_base(cdn_host, partner_id, sub_partner=True)
    chosen = protocol or urlsplit(base).scheme
    if chosen not in _PROTOCOLS:
        raise KalturaConfigurationError("protocol", chosen, "is unknown", f"use one of {', '.join(_PROTOCOLS)}")
    pairs = {
        "entryId": entry_value(entry_id),
        "format": _playback_format(format),
        "protocol": chosen,
        "flavorIds": _listed(flavor_ids, "flavor_ids", asset_id),
        "flavorParamIds": _listed(flavor_param_ids, "flavor_param_ids", number),
        "tags": tags,
        "minBitrate": optional(_above_zero, min_bitrate, "min_bitrate"),
        "maxBitrate": optional(_above_zero, max_bitrate, "max_bitrate"),
        **_clip(seek_from, clip_to),
        "ks": ks,
        "referrer": encode_referrer(referrer),
    }
    return f"{base}/playManifest{path_pairs(pairs)}"


def source_download_url(
    cdn_host: str, partner_id: int | str, entry_id: str | Mapping[str, Any], *, ks: str | None = None
) -> str:
    """Return the URL of the source file of a video or audio entry, the same as Kaltura's ``downloadUrl``."""
    return play_manifest_url(
        cdn_host, partner_id, entry_id, format=PlaybackFormat.DOWNLOAD, flavor_param_ids=[0], ks=ks
    )


def raw_url(
    cdn_host: str,
    partner_id: int | str,
    entry_id: str | Mapping[str, Any],
    *,
    file_name: str | None = None,
    direct_serve: bool | str = True,
    forceproxy: bool | str = True,
    version: int | str | None = None,
    ks: str | None = None,
    referrer: str | None = None,
) -> str:
    """Return the URL of an entry's file. For video and audio entries this is the source file.

    For an unknown entry the server answers with HTTP 200 and no content.

    :param file_name: the name under which browsers save the file. With ``direct_serve`` it becomes the end of the URL,
        where browsers look for it, as in Kaltura's guide; otherwise the parameter ``file_name``.
    :param direct_serve: whether browsers show the file rather than offer it as a download.
    :raises KalturaConfigurationError: an argument is not valid; names it.
    """
    direct, name = flag(direct_serve, "direct_serve"), file_name_value(file_name)
    # The server could take a name without a dot for the name of a parameter.
    alone = direct and name is not None and "." in name
    pairs = {
        "entry_id": entry_value(entry_id),
        "direct_serve": 1 if direct else None,
        "forceproxy": True if flag(forceproxy, "forceproxy") else None,
        "version": optional(number, version, "version"),
        "ks": ks,
        "referrer": encode_referrer(referrer),
        "file_name": None if alone else name,
    }
    end = f"/{quote(name, safe='')}" if alone and name else ""
    return f"{delivery_base(cdn_host, partner_id)}/raw{path_pairs(pairs)}{end}"


def download_url(
    cdn_host: str,
    partner_id: int | str,
    entry_id: str | Mapping[str, Any],
    *,
    flavor_id: str | Mapping[str, Any] | None = None,
    ks: str | None = None,
    referrer: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL that offers an entry, or one of its flavors, as a download.

    The server answers a wrong URL with HTTP 200 and no content.

    :raises KalturaConfigurationError: an argument is not valid; names it.
    """
    pairs = {
        "entry_id": entry_value(entry_id),
        "flavor": optional(asset_id, flavor_id, "flavor_id"),
        "ks": ks,
        "referrer": encode_referrer(referrer),
        "file_name": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id, sub_partner=True)}/download{path_pairs(pairs)}"


def serve_flavor_url(
    cdn_host: str,
    partner_id: int | str,
    entry_id: str | Mapping[str, Any],
    flavor_id: str | Mapping[str, Any],
    *,
    version: int | str | None = None,
    ks: str | None = None,
    file_name: str | None = None,
) -> str:
    """Return the URL that serves the file of one flavor asset.

    :raises KalturaConfigurationError: an argument is not valid; names it.
    """
    pairs = {
        "entryId": entry_value(entry_id),
        "v": optional(number, version, "version"),
        "flavorId": asset_id(flavor_id, "flavor_id"),
        "ks": ks,
        "fileName": file_name_value(file_name),
    }
    return f"{delivery_base(cdn_host, partner_id, sub_partner=True)}/serveFlavor{path_pairs(pairs)}"


def _playback_format(format: PlaybackFormat | str) -> str:
    text = str(format).strip().lower()
    for known in PlaybackFormat:
        if text in (known.value, known.name.lower()):
            return known.value
    names = ", ".join(known.name.lower() for known in PlaybackFormat)
    raise KalturaConfigurationError("format", str(format), "is unknown", f"use one of {names}")


def _above_zero(value: object, name: str) -> int:
    return number(value, name, minimum=1)


def _listed(values: Any, name: str, read: Callable[[object, str], int | str]) -> str | None:
    """Return one value, a list, or comma-separated text as comma-separated text, with each value checked."""
    if values is None:
        return None
    if isinstance(values, str):
        values = [value for value in values.split(",") if value.strip()]
    elif isinstance(values, dict) or not hasattr(values, "__iter__"):
        values = [values]
    return ",".join(str(read(value, name)) for value in values) or None


def _clip(seek_from: object, clip_to: object) -> dict[str, int | None]:
    begin, end = optional(number, seek_from, "seek_from"), optional(_above_zero, clip_to, "clip_to")
    if end is not None and end <= (begin or 0):
        fix = "give a later moment, in milliseconds from the beginning of the video"
        raise KalturaConfigurationError("clip_to", end, f"is not after seek_from ({begin})", fix)
    return {"seekFrom": begin, "clipTo": end}
