# SPDX-License-Identifier: Apache-2.0
"""Records in formats of other tools. A view is not evidence by itself; each names the bundle that proves it."""
