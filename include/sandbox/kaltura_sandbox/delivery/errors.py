"""Errors of delivery URLs: a number and a text in headers, never a body."""

from __future__ import annotations

from kaltura_sandbox.server.message import Response

__all__ = ["DeliveryError"]

_TEXTS = {
    1: "requested entry not found",
    2: "entry is not scheduled",
    3: "access control prohibits",
    4: "bad ks string",
    5: "file not found",
    6: "requested flavor was not found",
    7: "ks is not valid",
    9: "entry was deleted or moderated",
    11: "thumbnail is being processed",
    12: "bad entry type",
    13: "entry is in moderation",
    19: "bad maximal bitrate",
    20: "missing parameter",
    25: "bad query",
    31: "ks expired",
    49: "bad minimal bitrate",
    58: "entry is in the recycle bin",
}


class DeliveryError(Exception):
    """A delivery URL cannot be served; ``status`` is 404 for manifests and thumbnails, 200 for files."""

    def __init__(self, number: int, status: int = 404) -> None:
        super().__init__(f"{number} - {_TEXTS[number]}")
        self.number, self.status = number, status

    def response(self) -> Response:
        """Return the answer: headers only."""
        return Response(
            self.status,
            {
                "X-Kaltura": f"error-{self.number}",
                "X-Kaltura-App": f"exiting on error {self}",
                "Content-Type": "text/html; charset=UTF-8",
                "Access-Control-Allow-Origin": "*",
            },
        )
