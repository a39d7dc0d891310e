# SPDX-License-Identifier: Apache-2.0
"""Records in forms that other tools read. A view proves nothing by itself; each says which bundle proves it."""
