"""Writes docs/metrics.md and deploy/grafana.json from the list of metrics, plugins/kaltura_provider/hooks/metrics.yaml.

``python docs/generate_metrics.py`` writes both; with ``--check`` it only says whether they are as they would be.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

__all__ = ["dashboard", "metrics", "page"]

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "plugins" / "kaltura_provider" / "hooks" / "metrics.yaml"
PAGE = ROOT / "docs" / "metrics.md"
DASHBOARD = ROOT / "deploy" / "grafana.json"

HEAD = """# Metrics and traces

The package reports through Airflow, so its metrics go wherever Airflow's own go. Switch them on with Airflow's options
[`[metrics] statsd_on`](https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/metrics.html)
or `otel_on`. With StatsD, Airflow puts its prefix before each name, usually `airflow.`. Airflow sends tags if
`statsd_datadog_enabled` or `statsd_influxdb_enabled` is on, or with OpenTelemetry.

| metric | type | unit | tags | meaning |
|---|---|---|---|---|
"""

TAIL = """
[deploy/grafana.json](../deploy/grafana.json) is a Grafana dashboard of these metrics. It reads them from Prometheus,
under the names that Prometheus's StatsD exporter makes by default. It was not tried in a Grafana: compare the names
with yours.

## Traces

Where Airflow's traces are on (`[traces] otel_on`), each request to Kaltura is a span `kaltura <service>.<action>` below
the span of its task, and so is each chunk of an upload (`kaltura uploadToken.upload`). A span has the attributes
`kaltura.service`, `kaltura.action`, `kaltura.attempt`, `kaltura.request_id` and `http.response.status_code`. Kaltura's
support can find a request by its id, which logs and errors name too.

## Lineage

With Airflow's OpenLineage provider installed, `KalturaIngestOperator` and `KalturaUploadOperator` report sources as
inputs (`s3://bucket`, key) and entries as outputs (`kaltura://<host>/<partner id>`, entry id).
"""


def metrics() -> list[dict[str, Any]]:
    """Return the metrics in the order of the file."""
    listed: list[dict[str, Any]] = yaml.safe_load(SOURCE.read_text())
    return listed


def page() -> str:
    """Return the text of docs/metrics.md."""
    rows = "".join(
        f"| `{one['name']}` | {one['type']} | {one['unit']} | {', '.join(f'`{tag}`' for tag in one['tags']) or '-'} "
        f"| {one['description']} |\n"
        for one in metrics()
    )
    return HEAD + rows + TAIL


def dashboard() -> str:
    """Return the text of deploy/grafana.json."""
    panels = [_panel(number, one) for number, one in enumerate(metrics())]
    source = {
        "name": "source",
        "type": "datasource",
        "query": "prometheus",
        "label": "Data source",
        "current": {},
    }
    board = {
        "title": "Kaltura ingest",
        "uid": "kaltura-ingest",
        "schemaVersion": 39,
        "tags": ["airflow", "kaltura"],
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [source]},
        "panels": panels,
    }
    return json.dumps(board, indent=2) + "\n"


def _panel(number: int, one: dict[str, Any]) -> dict[str, Any]:
    units = {"bytes": "decbytes", "bytes per second": "Bps", "seconds": "s"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": one["panel"],
        "description": one["description"],
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
        "fieldConfig": {"defaults": {"unit": units.get(one["unit"], "short")}, "overrides": []},
        "targets": [{"refId": "A", "expr": _query(one), "legendFormat": _legend(one)}],
    }


def _query(one: dict[str, Any]) -> str:
    name = "airflow_" + one["name"].replace(".", "_")
    by = f" by ({', '.join(one['tags'])})" if one["tags"] else ""
    match one["type"]:
        case "counter":
            return f"sum{by} (increase({name}[$__rate_interval]))"
        case "timing":
            # The exporter turns milliseconds into seconds, and each timing into a sum and a count.
            return f"sum{by} (rate({name}_sum[$__rate_interval])) / sum{by} (rate({name}_count[$__rate_interval]))"
    return name


def _legend(one: dict[str, Any]) -> str:
    return " ".join(f"{{{{{tag}}}}}" for tag in one["tags"])


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` compare them. Return the exit code."""
    made = {PAGE: page(), DASHBOARD: dashboard()}
    if "--check" in arguments:
        old = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
        for path in old:
            sys.stdout.write(f"{path.relative_to(ROOT)} is out of date: run python docs/generate_metrics.py\n")
        return int(bool(old))
    for path, text in made.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
