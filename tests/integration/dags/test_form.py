"""What somebody types into the trigger form is data, from the form to Kaltura."""

from __future__ import annotations

import hashlib
import json

import pytest

READ_A_FILE = (
    "{% set e = self._TemplateReference__context.environment %}"
    "{{ e.loader.searchpath.append('/') or '' }}{% include 'etc/hostname' %}"
)
RUN_A_COMMAND = (
    "{{ self._TemplateReference__context.environment.template_class("
    "\"{{ cycler.__init__.__globals__.os.popen('touch MARK').read() }}\").render() }}"
)


def test_code_typed_into_the_form_arrives_as_text(deployment, clips, tmp_path) -> None:
    mark = tmp_path / "ran"
    command = RUN_A_COMMAND.replace("MARK", str(mark))
    uri = deployment.put("clip-1.mp4", clips["clip-1.mp4"])
    ran = deployment.run(
        deployment.form(), sources=[uri], name=READ_A_FILE, description=f"a {command} b", tags=["{{ 7 * 7 }}"]
    )
    assert ran.state == "success", ran.states
    assert not mark.exists()
    (entry,) = deployment.sandbox.control.entries()
    assert entry["name"] == READ_A_FILE
    assert entry["description"] == f"a {command} b"
    assert entry["tags"] == "{{ 7 * 7 }}"
    assert list(deployment.held().values()) == [hashlib.sha256(clips["clip-1.mp4"]).hexdigest()]


@pytest.mark.parametrize("text", ["{{ conn.aws_default.password }}", "{{ var.value.x }}", "{{ params.sources }}"])
def test_a_form_field_sees_nothing_of_airflow(deployment, clips, text: str) -> None:
    ran = deployment.run(deployment.form(), sources=[deployment.put("clip-1.mp4", clips["clip-1.mp4"])], name=text)
    assert ran.states["discover[-1]"] == "failed"
    assert ran.tries["discover[-1]"] == 1
    assert deployment.s3.secret_key not in json.dumps([ran.states, deployment.sandbox.control.entries()])
    assert deployment.held() == {}
