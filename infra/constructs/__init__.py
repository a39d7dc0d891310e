# SPDX-License-Identifier: Apache-2.0
"""One construct for each capability; every constructor argument is keyword-only."""
