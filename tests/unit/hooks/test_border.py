from __future__ import annotations

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaTransportError, TransportFault, api_error
from kaltura_provider.hooks.border import KalturaRetryPolicy, airflow_errors, retry_helps
from kaltura_provider.upload.errors import GoneReason, TokenGone
from kaltura_provider.upload.sources.errors import SourceNotFound, SourceUnavailable

FINAL = [
    KalturaConfigurationError("login", "x", "is no partner id", "give a number"),
    api_error("ENTRY_ID_NOT_FOUND"),
    api_error("SERVICE_FORBIDDEN"),
    KalturaTransportError("bad certificate", fault=TransportFault.TLS),
    SourceNotFound("s3://a/b", "there is no such object"),
    TokenGone("0_x", GoneReason.REFUSED),
]
PASSING = [
    api_error("INTERNAL_SERVERL_ERROR"),
    api_error("ACTION_BLOCKED"),
    KalturaTransportError("cut", fault=TransportFault.CUT),
    SourceUnavailable("s3://a/b", "S3 answered 503"),
    TokenGone("0_x", GoneReason.EXPIRED),
    RuntimeError("something else"),
]


@pytest.mark.parametrize("error", FINAL, ids=str)
def test_what_no_retry_helps_fails_at_once(error: Exception) -> None:
    assert not retry_helps(error)
    with pytest.raises(AirflowFailException) as caught, airflow_errors():
        raise error
    assert str(caught.value) == str(error)
    assert KalturaRetryPolicy().evaluate(error, 1, 5).action is RetryAction.FAIL


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_what_may_pass_is_retried(error: Exception) -> None:
    assert retry_helps(error)
    with pytest.raises(type(error)), airflow_errors():
        raise error
    assert KalturaRetryPolicy().evaluate(error, 1, 5).action is RetryAction.DEFAULT


def test_the_policy_survives_the_way_to_the_scheduler() -> None:
    from airflow.sdk import DAG, BaseOperator
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("d", schedule=None) as dag:
        BaseOperator(task_id="t", retries=2, retry_policy=KalturaRetryPolicy())
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("t").retries == 2
