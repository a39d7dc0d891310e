# SPDX-License-Identifier: Apache-2.0
"""Measurements that anyone can repeat. What was measured, on what, and what counts as a call is printed with them."""
