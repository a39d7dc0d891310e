# SPDX-License-Identifier: Apache-2.0
"""Endpoints, their settings and their wiring: from a Lambda event to a service call and back.

Invariant: whatever the event holds, an HTTP endpoint answers with a model of this package or a typed error.
"""
