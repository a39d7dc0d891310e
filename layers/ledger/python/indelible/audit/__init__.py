# SPDX-License-Identifier: Apache-2.0
"""The auditor's side: evidence from a bucket, a directory or a bundle, checked without an account or a network."""
