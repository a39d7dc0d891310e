# SPDX-License-Identifier: Apache-2.0
"""The evidence page: one HTML file that shows a range of records and verifies it in the reader's browser."""
