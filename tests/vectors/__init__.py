# SPDX-License-Identifier: Apache-2.0
"""Known answers: checked-in files, and the generator that makes them."""
