"""Thumbnails, captions, attachments and renditions of an entry, exactly once, with the same claims and marks.

The marks of such an asset are in its ``partnerDescription``. Kaltura lists the assets of an entry from its database, so
nothing here depends on a search. An entry has one flavor asset for each flavor params: a rendition takes the place of
the one that Kaltura has made.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaltura_provider.api.enums import FlavorAssetStatus, UploadTokenStatus, parse_status
from kaltura_provider.api.errors import KalturaAPIError, KalturaNotFoundError
from kaltura_provider.api.values import number_or_text, whole_number
from kaltura_provider.ingest.identity import content_id, token_file_name
from kaltura_provider.ingest.ledger import Ledger
from kaltura_provider.ingest.marks import content_mark, item_mark, size_mark
from kaltura_provider.ingest.settings import IfExists, IngestSettings
from kaltura_provider.ingest.sidecar import SidecarError, SidecarKind, SidecarRef
from kaltura_provider.services.entry.objects import token_resource
from kaltura_provider.services.entry_assets import delete_asset
from kaltura_provider.services.paging import list_all
from kaltura_provider.upload.errors import TokenGone
from kaltura_provider.upload.sources.address import shown_address
from kaltura_provider.upload.sources.digest import check_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaltura_provider.api.client import KalturaClient
    from kaltura_provider.ingest.ledger import TokenView
    from kaltura_provider.ingest.sidecar import Sidecar
    from kaltura_provider.upload.sources.base import Source
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["attach_sidecar"]


_WITH_DEFAULT = (SidecarKind.THUMBNAIL, SidecarKind.CAPTION)
_EXISTS = "FLAVOR_ASSET_ALREADY_EXISTS"
_CONVERTING = (
    FlavorAssetStatus.QUEUED,
    FlavorAssetStatus.CONVERTING,
    FlavorAssetStatus.WAIT_FOR_CONVERT,
    FlavorAssetStatus.VALIDATING,
)


@dataclass(frozen=True, slots=True)
class _Seen:
    id: str
    status: int | str
    marks: tuple[str, ...]
    flavor_params: int | str | None = None
    size: int | None = None

    @property
    def ours(self) -> bool:
        """Whether this package made it, or has given it its content."""
        return any(mark.startswith(item_mark("")) for mark in self.marks)


def attach_sidecar(
    client: KalturaClient,
    uploader: Uploader,
    sidecar: Sidecar,
    source: Source,
    *,
    settings: IngestSettings | None = None,
) -> SidecarRef:
    """Attach one file to its entry, exactly once, however many processes call this, and however often.

    A file that changed at its source replaces the old one with ``if_exists: replace``; otherwise the old one is kept.

    :raises SidecarError: another process holds the claim for too long, or Kaltura does not accept the file.
    :raises SourceError: the file cannot be read.
    :raises UploadError: the upload stopped.
    :raises KalturaError: Kaltura refused or did not answer.
    """
    return _Attaching(client, uploader, sidecar, source, settings or IngestSettings()).run()


class _Attaching:
    """The work on one file."""

    def __init__(
        self, client: KalturaClient, uploader: Uploader, sidecar: Sidecar, source: Source, settings: IngestSettings
    ) -> None:
        self._client, self._uploader = client, uploader
        self._sidecar, self._source, self._settings = sidecar, source, settings
        self._asset = sidecar.kind.asset
        self._ledger = Ledger(client, settings.clock)
        self._identify(sidecar.item_id)
        self._made = self._sent = False
        self._added: str | None = None

    def _identify(self, item_id: str) -> None:
        self._item_id = item_id
        self._content_id = content_id(item_id, self._source.size, self._source.validator)
        self._token_name = token_file_name(item_id, self._content_id, self._source.name)

    def run(self) -> SidecarRef:
        elder = self._sidecar.elder_item_id
        if elder and any(item_mark(elder) in seen.marks for seen in self._listed()):
            # It was attached under its older identity, and keeps that.
            self._identify(elder)
        deadline = self._settings.clock.monotonic() + self._settings.claim_timeout
        while self._settings.clock.monotonic() < deadline:
            self._check_source()
            seen = self._seen()
            if seen is not None and self._is_in(seen):
                return self._ref(seen)
            if seen is not None and self._kept(seen):
                return self._ref(seen, "changed at source; Kaltura keeps what it has")
            self._check_quiet(seen)
            token = self._attached_token(seen)
            if token is not None and seen is not None:
                self._send(seen, token)
        shown = shown_address(self._sidecar.uri)
        text = f"{shown} is not on entry {self._sidecar.entry_id} after {self._settings.claim_timeout:g} s"
        raise SidecarError(f"{text}; another process may be working on it: try again later", retry_helps=True)

    def _seen(self) -> _Seen | None:
        """Return the entry's asset for this file; further ones without content are deleted."""
        ours = [seen for seen in self._listed() if self._is_it(seen)]
        ours.sort(key=lambda seen: (seen.status != FlavorAssetStatus.READY, seen.status != FlavorAssetStatus.IMPORTING))
        for extra in ours[1:]:
            if extra.status != FlavorAssetStatus.READY:
                self._delete(extra.id)
        return ours[0] if ours else None

    def _is_it(self, seen: _Seen) -> bool:
        if self._sidecar.flavor_params is not None:
            return seen.flavor_params == self._sidecar.flavor_params
        return item_mark(self._item_id) in seen.marks

    def _check_source(self) -> None:
        """Check that Kaltura is not replacing the source, which takes the renditions of the old one with it.

        :raises SidecarError: it is.
        """
        if self._sidecar.flavor_params is None:
            return
        entry = self._ledger.entry(self._sidecar.entry_id)
        if entry is not None and entry.being_replaced:
            text = f"Kaltura is replacing the source of entry {entry.id}, and its renditions can be attached after that"
            raise SidecarError(f"{text}: try again later", retry_helps=True)

    def _check_quiet(self, seen: _Seen | None) -> None:
        """Check that Kaltura is not making this flavor itself, which would overwrite the rendition.

        :raises SidecarError: it is.
        """
        flavor = self._sidecar.flavor_params
        if flavor is not None and seen is not None and not seen.ours and seen.status in _CONVERTING:
            text = f"Kaltura is making flavor params {flavor} of entry {self._sidecar.entry_id} from the source"
            advice = 'set the origin of this flavor to "ingest" or "convert when missing" in the conversion profile'
            raise SidecarError(f"{text}; {advice}, or try again later", retry_helps=True)

    def _listed(self) -> list[_Seen]:
        conditions = {"entryIdEqual": self._sidecar.entry_id}
        return [_read(values) for values in list_all(self._client, self._asset.service, conditions)]

    def _is_in(self, seen: _Seen) -> bool:
        return seen.status == FlavorAssetStatus.READY and content_mark(self._content_id) in seen.marks

    def _kept(self, seen: _Seen) -> bool:
        marked = any(mark.startswith(content_mark("")) for mark in seen.marks)
        ready = seen.status == FlavorAssetStatus.READY
        return ready and marked and self._settings.if_exists is not IfExists.REPLACE

    def _attached_token(self, seen: _Seen | None) -> TokenView | None:
        """Return the token that belongs to ``seen``, or take one step towards getting it."""
        tokens, now = self._ledger.tokens(self._token_name)
        for token in tokens:
            if token.attached and seen is not None and token.attached_id == seen.id:
                if token.status != UploadTokenStatus.PENDING or token.id == self._added:
                    return token
                if now - token.updated_at >= self._settings.grace:
                    return token
                # Another process is about to send to it; two at once can undo each other's work.
                self._settings.clock.sleep(self._settings.poll)
                return None
        for token in tokens:
            age = now - (token.updated_at if token.attached else token.created_at)
            if token.filled or age >= self._settings.grace:
                self._ledger.delete_token(token.id)
            else:
                self._settings.clock.sleep(self._settings.poll)
        if not tokens:
            self._claim()
        return None

    def _claim(self) -> None:
        check_digest(self._source, self._sidecar.checksum)
        mine = self._ledger.add_token(self._token_name, self._source.size)
        self._added = mine.id
        tokens, _ = self._ledger.tokens(self._token_name)
        if any(token.id != mine.id for token in tokens):
            self._ledger.delete_token(mine.id)
            self._settings.clock.sleep(self._settings.clock.uniform(0.1, 1.0) * self._settings.backoff)
            return
        seen = self._seen()
        if seen is not None and (self._is_in(seen) or self._kept(seen)):
            self._ledger.delete_token(mine.id)
        elif seen is not None:
            self._set_content(seen.id, mine.id)
        else:
            self._add(mine.id)

    def _add(self, token_id: str) -> None:
        asset = self._asset
        mark = item_mark(self._item_id)
        made = {**self._sidecar.values, "objectType": asset.object_type, "partnerDescription": mark}
        if self._sidecar.kind is SidecarKind.ATTACHMENT:
            made.setdefault("filename", self._source.name)
        try:
            added = self._client.call(asset.service, "add", {"entryId": self._sidecar.entry_id, asset.parameter: made})
        except KalturaAPIError as error:
            self._ledger.delete_token(token_id)
            if error.code == _EXISTS:  # Kaltura or another process was faster
                return
            raise
        self._made = True
        self._set_content(added["id"], token_id)

    def _set_content(self, sidecar_id: str, token_id: str) -> None:
        fill = {"id": sidecar_id, "contentResource": token_resource(token_id)}
        with suppress(KalturaNotFoundError):  # the token was fenced or the asset is gone: the work starts over
            self._client.call(self._asset.service, "setContent", fill)

    def _send(self, seen: _Seen, token: TokenView) -> None:
        """Fill the token, wait until Kaltura has taken the file over, and mark which bytes it is."""
        if token.open:
            try:
                self._uploader.send(self._source, token.id, attached=True)
            except TokenGone:  # another process is done with it, or took it over
                return
            self._sent = True
        taken = self._ledger.token(token.id)
        if taken is None or not taken.filled:
            return
        if taken.uploaded != self._source.size:
            self._ledger.delete_token(token.id)
            return
        deadline = self._settings.clock.monotonic() + self._settings.grace
        while (now := self._seen()) is not None and now.id == seen.id:
            if now.status == FlavorAssetStatus.READY and self._fits(now):
                self._mark(now)
                # It would stand for the file's content if the file changes and changes back.
                self._ledger.delete_token(token.id)
                return
            if now.status == FlavorAssetStatus.ERROR:
                self._delete(now.id)
                text = f"Kaltura could not use {shown_address(self._sidecar.uri)} as {self._sidecar.kind}"
                raise SidecarError(text, retry_helps=False)
            if self._settings.clock.monotonic() >= deadline:
                self._give_up(now, token)
                return
            self._settings.clock.sleep(self._settings.poll / 4)

    def _fits(self, seen: _Seen) -> bool:
        """Tell whether a rendition has the size of its file, and is not what Kaltura has made of the source."""
        return self._sidecar.flavor_params is None or seen.size == self._source.size

    def _give_up(self, seen: _Seen, token: TokenView) -> None:
        """Start over, unless Kaltura has the file and is still looking at it.

        :raises SidecarError: it is.
        """
        if self._sidecar.flavor_params is not None and seen.status in _CONVERTING:
            shown = shown_address(self._sidecar.uri)
            raise SidecarError(f"Kaltura is still checking {shown}; try again later", retry_helps=True)
        self._ledger.delete_token(token.id)

    def _mark(self, seen: _Seen) -> None:
        """Mark which bytes it holds. This comes last: an asset with this mark is finished."""
        asset = self._asset
        if self._sidecar.default and self._sidecar.kind in _WITH_DEFAULT:
            self._client.call(asset.service, "setAsDefault", {asset.id_parameter: seen.id}, repeatable=True)
        marks = f"{item_mark(self._item_id)} {content_mark(self._content_id)}"
        if self._sidecar.flavor_params is not None:
            marks += f" {size_mark(self._source.size)}"
        changed = {"objectType": asset.object_type, "partnerDescription": marks}
        self._client.call(asset.service, "update", {"id": seen.id, asset.parameter: changed}, repeatable=True)

    def _delete(self, sidecar_id: str) -> None:
        delete_asset(self._client, self._asset, sidecar_id)

    def _ref(self, seen: _Seen, note: str | None = None) -> SidecarRef:
        said = self._sidecar
        return SidecarRef(
            entry_id=said.entry_id, kind=said.kind, uri=said.uri, asset_id=seen.id, made=self._made, sent=self._sent,
            note=note,
        )  # fmt: skip


def _read(values: Mapping[str, Any]) -> _Seen:
    marks = str(values.get("partnerDescription") or "").split()
    status, size = parse_status(FlavorAssetStatus, values["status"]), whole_number(values.get("sizeInBytes"))
    if any(mark.startswith(size_mark("")) for mark in marks) and size_mark(str(size)) not in marks:
        # Kaltura has made this flavor of a new source, and the asset kept its marks.
        marks = [mark for mark in marks if not mark.startswith(content_mark(""))]
    return _Seen(str(values["id"]), status, tuple(marks), number_or_text(values.get("flavorParamsId")), size)
