"""Flavors and their URLs, what viewers get, and delivery URLs made in templates."""

from airflow.sdk import DAG, task

from kaltura_provider.operators.delivery import KalturaCheckDeliveryOperator
from kaltura_provider.operators.flavors import KalturaGetFlavorUrlOperator, KalturaListFlavorsOperator

ENTRY = "{{ params.entry }}"
CDN = "conn.kaltura_default.extra_dejson.cdn_host, conn.kaltura_default.login"


def url_of(kind: str, more: str = "") -> str:
    """Return a template of a delivery URL of the entry."""
    return f"{{{{ macros.kaltura.{kind}({CDN}, params.entry, {more}) }}}}"


with DAG("delivery", schedule=None, params={"entry": "", "table": "", "width": 160}) as dag:
    flavors = KalturaListFlavorsOperator(task_id="flavors", entry_id=ENTRY, statuses=["ready"], tags=["web", "mbr"])
    table = KalturaListFlavorsOperator(task_id="table", entry_id=ENTRY, output_uri="{{ params.table }}")
    best = KalturaGetFlavorUrlOperator(task_id="best", entry_id=ENTRY)

    hls = KalturaCheckDeliveryOperator(task_id="hls", entry_id=ENTRY)
    dash = KalturaCheckDeliveryOperator(task_id="dash", entry_id=ENTRY, what="dash")
    file = KalturaCheckDeliveryOperator(
        task_id="file",
        entry_id=ENTRY,
        what="url",
        options={"flavor_ids": "{{ ti.xcom_pull('best')['asset_id'] }}"},
    )
    source = KalturaCheckDeliveryOperator(
        task_id="source", entry_id=ENTRY, what="download", options={"flavor_param_ids": 0}, with_session=True
    )
    raw = KalturaCheckDeliveryOperator(
        task_id="raw", entry_id=ENTRY, what="raw", options={"file_name": "film.mp4", "direct_serve": "False"}
    )
    picture = KalturaCheckDeliveryOperator(
        task_id="picture",
        entry_id=ENTRY,
        what="thumbnail",
        options={"width": "{{ params.width }}", "height": "90", "type": "crop", "vid_sec": "1"},
    )

    @task
    def urls(made: dict[str, str]) -> dict[str, str]:
        """Return the URLs that templates made."""
        return made

    made = urls(
        {
            "hls": url_of("play_manifest_url", "format='hls'"),
            "clip": url_of("play_manifest_url", "format='url', seek_from=500, clip_to='1500'"),
            "thumbnail": url_of("thumbnail_url", "width='160', height=90, type='crop'"),
            "raw": url_of("raw_url", "file_name='film.mp4'"),
            "download": url_of("download_url", "flavor_id=ti.xcom_pull('best').asset_id"),
            "flavor": url_of("serve_flavor_url", "ti.xcom_pull('best').asset_id"),
            "source": url_of("source_download_url"),
        }
    )
    best >> [file, made]
