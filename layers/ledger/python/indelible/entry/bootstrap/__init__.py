# SPDX-License-Identifier: Apache-2.0
"""Wires adapters and services together, one module for each function.

Invariant: each object is built once per environment, on first use. Only these modules, and `entry.operator` for the
command line, know which adapter implements a port. A module imports only what its function needs, because every import
adds to the cold start.
"""
