# SPDX-License-Identifier: Apache-2.0
"""Telemetry through Powertools: JSON log lines and EMF metrics.

Invariant: no log line is given a payload, a secret or a signature.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit


class PowertoolsTelemetry:
    """One per environment. Service and namespace come from the POWERTOOLS_* environment variables."""

    def __init__(self) -> None:
        self.logger = Logger()
        self._metrics = Metrics()

    def begin(self, request_id: str) -> None:
        """Add the id of this invocation to every log line that follows."""
        self.logger.append_keys(request_id=request_id)

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Add to a metric of this invocation."""
        self._metrics.add_metric(name=name, unit=MetricUnit(unit), value=value)

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """Log a warning with structured fields."""
        self.logger.warning(message, extra=dict(fields))

    def flush(self) -> None:
        """Write the metrics; call it at the end of every invocation."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
