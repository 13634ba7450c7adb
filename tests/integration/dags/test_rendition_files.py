"""Feeds whose items have renditions as files: which flavor each becomes, and that it becomes it once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG

AFTER = datetime(2024, 3, 2, tzinfo=UTC)
SMALL, LARGE = "Basic/Small - WEB/MBL (H264/400)", "HD/720 - WEB (H264/2500)"
MATCH = r"/^(?P<referenceId>[^_.]+)(_(?P<flavorName>[^.]+))?[.]\w{3,}$/"


def feed(deployment, **fields: Any) -> DAG:
    source = {"type": "s3_new", "stable_for": "PT0S", "uri": f"s3://media/{deployment.folder.name}/", "match": MATCH}
    return deployment.feed(name="flavors", start_date="2024-03-01", retries=0, source=source, **fields)


def flavors(deployment) -> dict[str, str]:
    """Return the SHA-256 of what Kaltura serves of the only entry, by the id of the flavor params."""
    import requests

    from kaltura_provider.hooks.kaltura import KalturaHook
    from kaltura_provider.services.flavor_asset import list_flavors

    client = KalturaHook().get_conn()
    (entry,) = deployment.sandbox.control.entries()
    found = {}
    for flavor in list_flavors(client, [entry["id"]])[entry["id"]]:
        if flavor.usable:
            answer = requests.get(client.call("flavorAsset", "getUrl", {"id": flavor.id}), timeout=10)
            found[str(flavor.params_id)] = hashlib.sha256(answer.content).hexdigest()
    return found


def test_the_files_of_a_drop_folder_become_the_flavors_of_one_entry(deployment, clips) -> None:
    digests = [hashlib.sha256(content).hexdigest() for content in clips.values()]
    small, large, source = clips.values()
    # The ids of flavor params are names of them too.
    deployment.put("talk_3.mp4", large)
    dag = feed(deployment)
    assert deployment.run(dag).summary["plan"] == {"waiting": 1}
    assert deployment.sandbox.control.entries() == []

    deployment.put("talk.mp4", source)
    ran = deployment.run(dag)
    assert (ran.state, ran.summary["plan"]) == ("success", {"new": 1}), ran.states
    (entry,) = deployment.sandbox.control.entries()
    assert entry["referenceId"] == "talk"
    made = flavors(deployment)
    assert (made["0"], made["3"]) == (digests[2], digests[1])
    assert made["2"] not in digests  # what does not come as a file, Kaltura makes of the source

    # A rendition that arrives later takes the place of the one that Kaltura has made.
    deployment.put("talk_2.mp4", small)
    ran = deployment.run(dag)
    assert (ran.state, ran.summary["plan"]) == ("success", {"new sidecar files": 1}), ran.states
    assert flavors(deployment) == {**made, "2": digests[0]}
    assert deployment.run(dag).summary["plan"] == {"ignored": 1}


def test_a_flavor_that_the_account_does_not_have_is_named_and_the_media_goes_in(deployment, clips) -> None:
    content = clips["clip-1.mp4"]
    deployment.put("talk.mp4", content)
    deployment.put("talk_Huge.mp4", content)
    ran = deployment.run(feed(deployment))
    assert ran.state == "failed"
    assert f"flavor 'Huge' is not a flavor of this account: give one of Mobile(3GP), {SMALL}" in ran.reason
    assert flavors(deployment)["0"] == hashlib.sha256(content).hexdigest()


def test_other_files_of_an_item_of_media_rss_become_its_flavors(deployment, site, clips) -> None:
    contents = [
        f'<media:content url="{site.url}/{name}" fileSize="{len(content)}" height="{height}"/>'
        for (name, content), height in zip(clips.items(), (180, 270, 360), strict=True)
    ]
    site.files = {f"/{name}": content for name, content in clips.items()}
    group = f"<media:group>{''.join(contents)}</media:group>"
    document = (
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><item><guid>1</guid>'
        f"<title>Talk</title>{group}</item></channel></rss>"
    )
    uri = deployment.put("feed.xml", document.encode())
    source = {"type": "rss", "uri": uri, "flavors": {180: SMALL, 270: LARGE}}
    dag = deployment.feed(name="flavors", start_date="2024-03-01", retries=0, source=source)
    ran = deployment.run(dag)
    assert ran.state == "success", ran.states
    digests = [hashlib.sha256(content).hexdigest() for content in clips.values()]
    made = flavors(deployment)
    assert {number: made[number] for number in ("0", "2", "6")} == dict(zip("260", digests, strict=True))


def test_a_new_source_gets_its_renditions_again(deployment, clips) -> None:
    """Kaltura drops the flavors of an entry when it swaps the source, which is after the bytes are there."""
    small, large, source = clips.values()
    deployment.put("talk.mp4", source)
    deployment.put("talk_2.mp4", small)
    dag = feed(deployment)
    assert deployment.run(dag).state == "success"
    deployment.put("talk.mp4", large)
    replacing = feed(deployment, if_exists="replace")
    first = deployment.run(replacing)
    assert first.state == "failed", first.states
    assert "renditions can be attached after that: try again later" in first.reason
    assert deployment.run(replacing).state == "success"
    held = flavors(deployment)
    assert held["0"] == hashlib.sha256(large).hexdigest()
    assert held["2"] == hashlib.sha256(small).hexdigest()
