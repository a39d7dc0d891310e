# SPDX-License-Identifier: Apache-2.0
"""The deployment: constructs define, stacks compose and grant. Nothing here runs in a function."""
