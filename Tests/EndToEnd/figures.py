"""relayd's figures, as a Prometheus reads them."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus


def figures(text: str) -> dict[str, float]:
    """What a Prometheus reads, by name and labels; both of its parsers agree."""
    found = {}
    for family in openmetrics(text):
        assert family.documentation
        for sample in family.samples:
            found[f"{sample.name}{sorted(sample.labels.items())}"] = sample.value
    old = {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in prometheus(text)
        for sample in family.samples
    }
    assert old == found
    return found


def total(found: dict[str, float], name: str, **labels: str) -> float:
    wanted = [repr(pair) for pair in labels.items()]
    return sum(value for key, value in found.items() if key.startswith(f"{name}[") and all(each in key for each in wanted))
