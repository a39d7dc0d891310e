# SPDX-License-Identifier: Apache-2.0
"""The command line. Not shipped in the Lambda layer."""

COULD_NOT_CHECK = 2
"""The exit status for what could not be checked; 1 says that something was found to be wrong."""
