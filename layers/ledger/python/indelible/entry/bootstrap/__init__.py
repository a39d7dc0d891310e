# SPDX-License-Identifier: Apache-2.0
"""Builds the functions' adapters and services, once for each environment, on first use: a module for each function.

Only these modules (and `operator`, for the command line) know what is behind a port. Each imports what its function
needs and nothing else, for everything that is imported is paid for at the cold start.
"""
