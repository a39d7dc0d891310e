# SPDX-License-Identifier: Apache-2.0
"""Adapters to the world outside the account, and what checks the evidence that they bring home."""
