# SPDX-License-Identifier: Apache-2.0
"""What the ledger does, written against ports only."""
