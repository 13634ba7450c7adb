"""One entry on the page: player, flavors, thumbnails, captions, attachments and the upload it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_sandbox.assets.params import FLAVOR_PARAMS
from kaltura_sandbox.delivery.flavors import playable
from kaltura_sandbox.entries.types import AUDIO, DELETED, IMAGE
from kaltura_sandbox.server.message import Response
from kaltura_sandbox.web import labels
from kaltura_sandbox.web.html import Markup, link, page, size, table, tag, when

if TYPE_CHECKING:
    from kaltura_sandbox.account import Account
    from kaltura_sandbox.api.types import Record

__all__ = ["entry_page"]

_BUSY = (0, 1)
_WHOLE = 86400  # one segment holds all captions of a day


def entry_page(account: Account, entry_id: str) -> Response:
    """Show an entry, or 404 if it does not exist."""
    entry = account.tables.entries.get(entry_id)
    if entry is None or entry["status"] == DELETED:
        missing = page("Not found - Kaltura sandbox", tag("h2", "No such entry"), tag("p", tag("code", entry_id)))
        return Response(404, missing.headers, missing.body)
    assets = account.tables.assets.find("entry = ? AND status != 3", (entry_id,), order="params, id")
    kinds = {kind: [asset for asset in assets if asset["_kind"] == kind] for kind in _SECTIONS}
    sections = [[tag("h3", title), show(entry, kinds[kind])] for kind, (title, show) in _SECTIONS.items()]
    title = entry.get("name") or entry_id
    return page(
        f"{title} - Kaltura sandbox",
        tag("h2", title, " ", labels.entry_status(entry["status"])),
        tag(
            "div",
            tag("div", _player(account, entry, kinds["caption"])),
            tag("div", _facts(account, entry)),
            class_="two",
        ),
        sections,
        refresh=3 if entry["status"] in _BUSY else None,
    )


def _base(entry: Record) -> str:
    return f"/p/{entry['partnerId']}/sp/{entry['partnerId']}00"


def _player(account: Account, entry: Record, captions: list[Record]) -> Markup:
    base, entry_id = _base(entry), entry["id"]
    if entry.get("mediaType") == IMAGE and entry.get("_path"):
        return tag("img", src=f"{base}/thumbnail/entry_id/{entry_id}/width/800", alt="", style="max-width:100%")
    found = playable(account, entry_id)
    if not found:
        return tag("p", "nothing to play yet", class_="soft")
    manifest = f"{base}/playManifest/entryId/{entry_id}/format"
    # A rendition plays in any browser, the source may not.
    params = max(flavor["flavorParamsId"] for flavor in found)
    url = f"{manifest}/url/protocol/http/flavorParamId/{params}"
    poster = f"{base}/thumbnail/entry_id/{entry_id}/width/800/version/{entry.get('_thumb_version', 0)}"
    player = tag(
        "audio" if entry.get("mediaType") == AUDIO else "video",
        [_track(caption) for caption in captions if caption["status"] == 2],
        controls=True,
        preload="metadata",
        src=url,
        poster=None if entry.get("mediaType") == AUDIO else poster,
    )
    streams = tag(
        "p",
        "Streams: ",
        link(f"{manifest}/applehttp/protocol/http/a.m3u8", "HLS"),
        ", ",
        link(f"{manifest}/mpegdash/protocol/http", "DASH"),
        ", ",
        link(f"{manifest}/download/protocol/http/flavorParamIds/0", "download the source"),
    )
    return Markup(player + streams)


def _track(caption: Record) -> Markup:
    base = "/api_v3/service/caption_captionAsset/action/serveWebVTT/captionAssetId"
    url = f"{base}/{caption['id']}/segmentDuration/{_WHOLE}/segmentIndex/1"
    label = caption.get("label") or caption.get("language") or "captions"
    return tag("track", src=url, kind="subtitles", label=label, srclang=caption.get("languageCode") or "en")


def _facts(account: Account, entry: Record) -> Markup:
    rows: list[tuple[str, Any]] = [
        ("Id", tag("code", entry["id"])),
        ("Created (UTC)", when(entry["createdAt"])),
        ("Updated (UTC)", when(entry["updatedAt"])),
        ("Owner", entry.get("userId")),
        ("Moderation", labels.moderation(entry.get("moderationStatus"))),
        ("Reference", entry.get("referenceId")),
        ("Description", entry.get("description")),
        ("Tags", entry.get("tags")),
        ("Admin tags", entry.get("adminTags")),
        ("Categories", entry.get("categories")),
        ("Conversion profile", entry.get("conversionProfileId")),
        ("Starts (UTC)", when(entry.get("startDate"))),
        ("Ends (UTC)", when(entry.get("endDate"))),
        ("Length", f"{entry['msDuration'] / 1000:.3f} s" if entry.get("msDuration") else None),
        ("Picture", f"{entry['width']} x {entry['height']}" if entry.get("width") else None),
        ("Replaced by", entry.get("replacingEntryId")),
        ("Upload", _upload(account, entry)),
    ]
    shown = [tag("tr", tag("th", name), tag("td", value)) for name, value in rows if value not in (None, "")]
    return tag("table", shown)


def _upload(account: Account, entry: Record) -> Any:
    """Return the token an entry waits for, and how far its upload is."""
    ids = [
        entry["id"],
        *(asset["id"] for asset in account.tables.assets.find("entry = ? AND status = 7", (entry["id"],))),
    ]
    places = ",".join("?" * len(ids))
    token = account.tables.tokens.first(f"attached IN ({places}) AND status IN (0, 1)", ids)
    if token is None:
        return None
    done, whole = token.get("uploadedFileSize") or 0, token.get("fileSize")
    text = f" {size(done)} of {size(whole)}" if whole else f" {size(done)}"
    return [labels.token_status(token["status"]), text]


def _flavors(entry: Record, assets: list[Record]) -> Markup:
    base = f"{_base(entry)}/serveFlavor/entryId/{entry['id']}"
    rows = []
    for asset in assets:
        name = FLAVOR_PARAMS.get(asset["flavorParamsId"], {}).get("name", "")
        picture = f"{asset['width']} x {asset['height']}" if asset.get("width") else ""
        file = ""
        if asset["status"] == 2:
            url = f"{base}/v/{asset['version']}/flavorId/{asset['id']}/fileName/{asset['id']}.{asset.get('fileExt')}"
            file = tag("span", link(url, size(asset.get("sizeInBytes"))), class_="n")
        note = asset.get("description", "").strip()
        status = labels.asset_status(asset["status"])
        rows.append(
            [
                tag("code", asset["id"]),
                name,
                status,
                tag("span", picture, class_="n"),
                asset.get("bitrate") or "",
                file,
                note,
            ]
        )
    return table(("Id", "Flavor", "Status", "Picture", "kbit/s", "File", "Note"), rows)


def _thumbnails(entry: Record, assets: list[Record]) -> Markup:
    if not assets:
        return tag("p", "none", class_="soft")
    figures = []
    for asset in assets:
        url = f"/api_v3/service/thumbAsset/action/serve/thumbAssetId/{asset['id']}"
        image = tag("img", src=url, alt="") if asset["status"] == 2 else labels.asset_status(asset["status"])
        name = [tag("code", asset["id"]), " ", asset.get("tags", "")]
        figures.append(tag("figure", image, tag("figcaption", name)))
    return tag("div", figures, class_="strip")


def _captions(entry: Record, assets: list[Record]) -> Markup:
    return table(
        ("Id", "Language", "Label", "Status", "File"),
        [
            [
                tag("code", asset["id"]),
                asset.get("language"),
                asset.get("label"),
                labels.asset_status(asset["status"]),
                _file(asset, "caption_captionAsset", "captionAssetId"),
            ]
            for asset in assets
        ],
    )


def _attachments(entry: Record, assets: list[Record]) -> Markup:
    return table(
        ("Id", "Title", "File name", "Status", "File"),
        [
            [
                tag("code", asset["id"]),
                asset.get("title"),
                asset.get("filename"),
                labels.asset_status(asset["status"]),
                _file(asset, "attachment_attachmentAsset", "attachmentAssetId"),
            ]
            for asset in assets
        ],
    )


def _file(asset: Record, service: str, id_name: str) -> Any:
    if asset["status"] != 2:
        return ""
    return link(f"/api_v3/service/{service}/action/serve/{id_name}/{asset['id']}", size(asset.get("sizeInBytes")))


_SECTIONS: dict[str, tuple[str, Any]] = {
    "flavor": ("Flavors", _flavors),
    "thumb": ("Thumbnails", _thumbnails),
    "caption": ("Captions", _captions),
    "attachment": ("Attachments", _attachments),
}
