# SPDX-License-Identifier: Apache-2.0
"""The command line. Not shipped in the Lambda layer."""

COULD_NOT_CHECK = 2
"""Exit status when a command could not do its work. Status 1 is a verdict: the check ran and found something wrong."""
