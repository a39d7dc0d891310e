# SPDX-License-Identifier: Apache-2.0
"""The ports on AWS. The docstring of each method that calls AWS names the operations and their IAM permissions."""
