"""What the files of the ways to deploy say about runs."""

from __future__ import annotations

from typing import Any

import yaml

from tests.stack import PROJECT


def read(path: str) -> dict[str, Any]:
    return yaml.safe_load((PROJECT / path).read_text())


def test_runs_are_tried_again_alike_on_one_machine_with_celery_and_on_kubernetes():
    ours, celery = read("dagster.yaml")["run_retries"], read("deploy/celery/dagster.yaml")["run_retries"]
    chart = read("deploy/k8s/values.yaml")["dagsterDaemon"]["runRetries"]
    assert ours == celery
    assert ours == {
        "enabled": chart["enabled"],
        "max_retries": chart["maxRetries"],
        "retry_on_asset_or_op_failure": chart["retryOnAssetOrOpFailure"],
    }
