# SPDX-License-Identifier: Apache-2.0
"""The evidence page, in a browser."""
