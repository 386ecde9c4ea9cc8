"""What ``/metrics`` says, read by Prometheus' own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from tests.server import http_client

Values = dict[str, dict[tuple[tuple[str, str], ...], float]]


class Exposed:
    """One reading.

    Attributes:
        types: Each metric's type, by its name.
    """

    def __init__(self, text: str) -> None:
        self.types: dict[str, str] = {}
        self._values: Values = {}
        for family in text_string_to_metric_families(text):
            total = "_total" if family.type == "counter" else ""
            self.types[f"{family.name}{total}"] = family.type
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                of_name = self._values.setdefault(sample.name, {})
                assert labels not in of_name, f"{sample.name} {labels} stands twice"
                of_name[labels] = sample.value

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels; of none, 0."""
        wanted = set(labels.items())
        return sum(value for has, value in self._values.get(name, {}).items() if wanted <= set(has))

    def labels(self, name: str) -> set[str]:
        """The names of the labels that a metric's samples have."""
        return {label for has in self._values.get(name, {}) for label, _ in has}


async def scrape(url: str, token: str = "") -> Exposed:
    """Read a server's metrics."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with http_client() as http:
        answer = await http.get(f"{url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Exposed(answer.text)
