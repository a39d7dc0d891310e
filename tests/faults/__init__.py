# SPDX-License-Identifier: Apache-2.0
"""What is left after a crash, at every place where one can happen."""
