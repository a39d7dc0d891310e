# SPDX-License-Identifier: Apache-2.0
"""The ledger's formats and rules. Pure: no clock, no environment, no I/O, no AWS."""
