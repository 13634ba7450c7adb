"""Secrets among the arguments of tasks are not shown by Airflow: neither in rendered templates nor in logs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk._shared.secrets_masker import redact
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from kaltura_provider.operators.add_from import KalturaAddFromUrlOperator
from kaltura_provider.operators.bulk import KalturaBulkUploadOperator
from kaltura_provider.operators.content import KalturaAddContentOperator

SIGNED = "https://b.s3.amazonaws.com/a.mp4?X-Amz-Credential={0}key&X-Amz-Signature={0}signature&X-Amz-Expires=60"


def shown(operator: Any, context: dict[str, Any] | None = None) -> str:
    operator.render_template_fields({"ti": None, **(context or {})})
    return json.dumps(_serialize_rendered_fields(operator))


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (KalturaAddContentOperator, {"entry_id": "0_abcdefgh", "url": SIGNED.format("first")}),
        (KalturaAddContentOperator, {"entry_id": "0_abcdefgh", "url": "sftp://user:firstsecret@h.example/a.mp4"}),
        (
            KalturaAddContentOperator,
            {"entry_id": "0_abcdefgh", "url": "https://a.example/x.mp4", "url_headers": {"X-Key": "firstsecret"}},
        ),
        (KalturaAddFromUrlOperator, {"source": [{"uri": SIGNED.format("first")}]}),
        (KalturaBulkUploadOperator, {"rows": [{"url": SIGNED.format("first"), "name": "N"}]}),
    ],
)
def test_rendered_templates_hide_secrets(operator: type, arguments: dict[str, Any]) -> None:
    text = shown(operator(task_id="task", **arguments))
    for secret in ("firstkey", "firstsignature", "firstsecret"):
        assert secret not in text
    assert "***" in text


def test_what_a_template_brings_in_is_hidden_too_and_nothing_else() -> None:
    with DAG("masked", schedule=None):
        operator = KalturaAddContentOperator(
            task_id="task", entry_id="0_abcdefgh", url="{{ address }}", url_headers=["Accept: video/mp4"]
        )
    text = shown(operator, {"address": SIGNED.format("second")})
    assert "secondsignature" not in text
    assert "video/mp4" in text
    assert "https://b.s3.amazonaws.com/a.mp4?X-Amz-Credential=***&X-Amz-Signature=***&X-Amz-Expires=60" in text
    assert redact("GET /a.mp4?X-Amz-Signature=secondsignature") == "GET /a.mp4?X-Amz-Signature=***"
