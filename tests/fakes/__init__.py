# SPDX-License-Identifier: Apache-2.0
"""In-memory implementations of every port. They enforce the contracts: a service that breaks one fails here."""
