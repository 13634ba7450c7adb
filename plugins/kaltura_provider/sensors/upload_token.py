"""Wait for upload tokens to be filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.sensors.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.triggers.upload_token import KalturaUploadTokenTrigger

__all__ = ["KalturaUploadTokenSensor"]


class KalturaUploadTokenSensor(KalturaSensor):
    """Wait until uploads are finished, whoever makes them: the token holds its whole file, or an entry has taken it.

    :param upload_token: an upload token id, an asset reference, or a list of either.
    :param grace: seconds that "no such token" must last before it is believed.
    :return: for an id, the id; for a list of ids ``{"ready": [id], "failed": {id: reason}}``; for asset references,
        the references.
    :raises AirflowFailException: the token was deleted or refused.
    :raises AirflowSensorTimeout: the time is up; the message says how many bytes have arrived.
    """

    template_fields: Sequence[str] = ("upload_token", *KalturaSensor.template_fields)

    def __init__(self, *, upload_token: Any, grace: float = 30.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.upload_token = upload_token
        self.grace = grace

    def subject(self) -> Targets:
        """Return the tokens."""
        return Targets(self.upload_token, name="upload_token", key="token_id")

    def trigger_type(self) -> type[KalturaUploadTokenTrigger]:
        """Return the trigger that waits for tokens."""
        from kaltura_provider.triggers.upload_token import KalturaUploadTokenTrigger

        return KalturaUploadTokenTrigger

    def condition(self) -> dict[str, Any]:
        """Return the arguments of ``TokenFull``."""
        return {"grace": self.grace}
