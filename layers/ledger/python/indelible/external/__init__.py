# SPDX-License-Identifier: Apache-2.0
"""External anchoring: adapters to timestamp authorities, calendars and witnesses, and verifiers of their anchors."""
