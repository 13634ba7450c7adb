"""Makes what a recording uses but did not record: tokens already uploaded, entries already there.

A recording names such a thing only by its id. What it must have been is read from the replies that mention it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.content import file_content
from conformance.mapping import ID, TOKEN
from conformance.recording import objects_in
from conformance.sender import send

if TYPE_CHECKING:
    from conformance.mapping import IdMap
    from conformance.recording import Recording, Step

__all__ = ["Provider"]

_EXTENSIONS = {
    "caption_captionasset": "srt",
    "attachment_attachmentasset": "pdf",
    "thumbasset": "png",
    "document_documents": "pdf",
    "document": "pdf",
}
_COPIED = ("name", "description", "tags", "adminTags", "referenceId", "mediaType", "partnerData")


@dataclass(frozen=True)
class _Token:
    file_name: str
    declared: str
    uploaded: int | None  # None: nothing was uploaded yet
    full: bool


class Provider:
    """Makes missing things for one recording, when a step first needs them."""

    def __init__(self, base_url: str, ids: IdMap, recording: Recording) -> None:
        self._base_url, self._ids, self._steps = base_url, ids, recording.steps

    def prepare(self, step: Step) -> None:
        """Make every id that this step sends, that is unknown and that the real server knew."""
        for value in sorted(step.sent_values):
            for found in ID.findall(value):
                if found not in self._ids:
                    self._make(found, step)

    def _make(self, wanted: str, step: Step) -> None:
        if TOKEN.fullmatch(wanted):
            token = self._token(wanted, step)
            if token is not None and (made := self._upload(token)):
                self._ids.bind(wanted, made)
        elif (entry := self._find(wanted, "Entry")) is not None and (made := self._entry(entry)):
            self._ids.bind(wanted, made)

    def _find(self, wanted: str, kind: str) -> dict[str, Any] | None:
        """Return the first object with this id and kind of type in the replies of the recording."""
        for step in self._steps:
            for found in objects_in(step.reply):
                if found.get("id") == wanted and str(found.get("objectType", "")).endswith(kind):
                    return found
        return None

    def _token(self, wanted: str, step: Step) -> _Token | None:
        seen = self._find(wanted, "UploadToken") or {}
        service, action = step.call
        sent = step.fields
        default = f"file.{self._extension(service, step)}"
        name, declared = str(seen.get("fileName", default)), str(seen.get("fileSize", ""))
        if service == "uploadtoken":
            if step.error_code == "UPLOAD_TOKEN_NOT_FOUND":
                return None
            resumed = action == "upload" and str(sent.get("resume", "0")).lower() in ("1", "true")
            return _Token(name, declared, int(float(sent.get("resumeAt", 0))) if resumed else None, False)
        if step.error_code == "UPLOAD_TOKEN_INVALID_STATUS_FOR_ADD_ENTRY":
            return _Token(name, declared, None, False)
        if step.error_code in ("UPLOAD_TOKEN_NOT_FOUND", "INTERNAL_SERVERL_ERROR"):
            return None
        reply = step.reply if isinstance(step.reply, dict) else {}
        waits = reply.get("status") == 0 and str(reply.get("objectType", "")).endswith("Entry")
        if waits or (reply.get("status") == 7 and "Asset" in str(reply.get("objectType"))):
            partial = int(seen.get("uploadedFileSize", 0)) if seen.get("status") == 1 else None
            return _Token(name, declared, partial, False)
        return _Token(name, declared, self._size(reply), True)

    def _extension(self, service: str, step: Step) -> str:
        found = [item.get("fileExt") for item in objects_in(step.reply) if item.get("fileExt")]
        return str(found[0]) if found else _EXTENSIONS.get(service, self._by_entry(step))

    def _by_entry(self, step: Step) -> str:
        reply = step.reply if isinstance(step.reply, dict) else {}
        return "pdf" if reply.get("objectType") == "KalturaDocumentEntry" else "mp4"

    def _size(self, reply: dict[str, Any]) -> int:
        """Return the size of the file: from the asset that took it, or the source flavor of its entry."""
        if str(reply.get("sizeInBytes", "")).isdigit() and int(reply["sizeInBytes"]):
            return int(reply["sizeInBytes"])
        for step in self._steps:
            for found in objects_in(step.reply):
                if found.get("entryId") == reply.get("id") and found.get("isOriginal"):
                    return int(found.get("sizeInBytes") or 150000)
        return 125 if reply.get("objectType") == "KalturaDocumentEntry" else 150000

    def _entry(self, seen: dict[str, Any]) -> str:
        fields = {f"entry:{name}": str(seen[name]) for name in _COPIED if name in seen}
        made = self._call("media", "add", {"entry:objectType": "KalturaMediaEntry", **fields})
        if seen.get("status") in (1, 2):
            token = self._upload(_Token("file.mp4", "", self._size({"id": seen["id"]}), True))
            resource = {"resource:objectType": "KalturaUploadedFileTokenResource", "resource:token": token}
            self._call("media", "addContent", {"entryId": made.get("id", ""), **resource})
        return str(made.get("id", ""))

    def _upload(self, token: _Token) -> str:
        fields = {"uploadToken:objectType": "KalturaUploadToken", "uploadToken:fileName": token.file_name}
        if token.declared:
            fields["uploadToken:fileSize"] = token.declared
        made = str(self._call("uploadToken", "add", fields).get("id", ""))
        if token.uploaded is not None:
            data = file_content(token.file_name, token.uploaded, made)
            final = "1" if token.full else "0"
            self._call(
                "uploadToken",
                "upload",
                {"uploadTokenId": made, "resume": "0", "finalChunk": final},
                {"fileData": (token.file_name, "application/octet-stream", data)},
            )
        return made

    def _call(
        self,
        service: str,
        action: str,
        fields: dict[str, str],
        files: dict[str, tuple[str, str, bytes]] | None = None,
    ) -> dict[str, Any]:
        request = {
            "method": "POST",
            "path": f"/api_v3/service/{service}/action/{action}",
            "encoding": "multipart/form-data" if files else "form",
        }
        reply = send(self._base_url, request, {**fields, "ks": self._ids.word("KS"), "format": "1"}, files or {})
        value = reply.json()
        # What could not be made shows by itself: the step that needs it differs.
        refused = not isinstance(value, dict) or value.get("objectType") == "KalturaAPIException"
        return {} if refused else value
