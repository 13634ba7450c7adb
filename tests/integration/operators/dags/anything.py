"""Any action, several in one exchange or from Python code, and upload tokens by themselves."""

from airflow.sdk import DAG, task

from kaltura_provider.operators.call import KalturaCallOperator, KalturaMultiRequestOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import (
    KalturaAddUploadTokenOperator,
    KalturaDeleteUploadTokenOperator,
    KalturaGetUploadTokenOperator,
    KalturaListUploadTokensOperator,
)
from kaltura_provider.sensors.upload_token import KalturaUploadTokenSensor


@task
def shouted(entry_id: str) -> str:
    """Use the hook, which calls any action too."""
    from kaltura_provider.hooks.kaltura import KalturaHook

    return str(KalturaHook().call("media", "get", entryId=entry_id)["name"]).upper()


with DAG("anything", schedule=None, params={"name": "Made here", "source": ""}) as dag:
    made = KalturaMultiRequestOperator(
        task_id="made",
        requests=[
            {
                "service": "media",
                "action": "add",
                "params": {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 1, "name": "{{ params.name }}"}},
            },
            {"service": "baseEntry", "action": "get", "params": {"entryId": "{1:result:id}"}},
        ],
        fields=["id", "name"],
    )
    name = KalturaCallOperator(
        task_id="name",
        service="media",
        action="get",
        parameters={"entryId": "{{ ti.xcom_pull('made')[1]['id'] }}"},
        result_path="name",
    )
    token = KalturaAddUploadTokenOperator(task_id="token", file_name="clip.mp4")
    upload = KalturaUploadOperator(
        task_id="upload", source="{{ params.source }}", token_id="{{ ti.xcom_pull('token')['token_id'] }}"
    )
    filled = KalturaUploadTokenSensor(task_id="filled", token_id="{{ ti.xcom_pull('token')['token_id'] }}")
    full = KalturaGetUploadTokenOperator(task_id="full", token_id=token.output)
    listed = KalturaListUploadTokensOperator(task_id="listed", statuses=["full_upload"], file_name="clip.mp4")
    deleted = KalturaDeleteUploadTokenOperator(task_id="deleted", token_id=token.output)
    made >> name
    shouted("{{ ti.xcom_pull('made')[0]['id'] }}") << made
    token >> upload >> filled >> full >> listed >> deleted
