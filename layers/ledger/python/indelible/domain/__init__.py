# SPDX-License-Identifier: Apache-2.0
"""What a record, a chain and a credential are. Pure: no clock, no environment, no I/O."""
