"""Each call is a span below that of its task, whichever thread makes it."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from kaltura_provider.api.observer import CallRecord
from kaltura_provider.hooks.observer import AirflowObserver


def test_calls_from_threads_are_spans_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    monkeypatch.setattr("kaltura_provider.hooks.metrics._tracer", tracer)
    good = CallRecord("uploadToken", "upload", 1, 0.5, status=200, request_id="42")
    bad = CallRecord("media", "get", 2, 0.1, status=200, error="ENTRY_ID_NOT_FOUND")
    with tracer.start_as_current_span("task") as task:
        observer = AirflowObserver()
        thread = threading.Thread(target=lambda: [observer.on_call(call) for call in (good, bad)])
        thread.start()
        thread.join(10)
    upload, get, _ = exporter.get_finished_spans()
    for span in (upload, get):
        assert span.parent is not None
        assert span.parent.span_id == task.get_span_context().span_id
    assert upload.name == "kaltura uploadToken.upload"
    assert upload.attributes == {
        "kaltura.service": "uploadToken",
        "kaltura.action": "upload",
        "kaltura.attempt": 1,
        "kaltura.request_id": "42",
        "http.response.status_code": 200,
    }
    assert upload.end_time - upload.start_time == 500_000_000
    assert upload.status.status_code is StatusCode.UNSET
    assert (get.status.status_code, get.status.description) == (StatusCode.ERROR, "ENTRY_ID_NOT_FOUND")
