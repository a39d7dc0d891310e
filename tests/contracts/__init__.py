# SPDX-License-Identifier: Apache-2.0
"""One suite for each port, run on every implementation of it: the fakes are held to what the adapters do, and back."""
