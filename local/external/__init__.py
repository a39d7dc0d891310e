# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for anchoring providers: a timestamp authority, an OpenTimestamps calendar, a witness.

Invariant: they are bound to 127.0.0.1, make no requests, and check what real providers check.
"""
