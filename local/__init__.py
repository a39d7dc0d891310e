# SPDX-License-Identifier: Apache-2.0
"""A ledger on this machine: the real stacks in an AWS emulator. Shipped code never imports it."""
