"""The trigger that waits for upload tokens to be filled."""

from __future__ import annotations

from kaltura_provider.triggers.base import KalturaTrigger
from kaltura_provider.waiting.conditions.upload_token import TokenFull
from kaltura_provider.waiting.polling.readers import TokenReader

__all__ = ["KalturaUploadTokenTrigger"]


class KalturaUploadTokenTrigger(KalturaTrigger):
    """Wait until uploads are finished; see :class:`~kaltura_provider.waiting.conditions.upload_token.TokenFull`."""

    kind = "upload_token"
    condition_type = TokenFull

    @classmethod
    def make_reader(cls) -> TokenReader:
        """Return the reader for upload tokens."""
        return TokenReader()
