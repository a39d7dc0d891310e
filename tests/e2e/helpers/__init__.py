# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share. Requests go over plain HTTP and are signed without the code under test."""
