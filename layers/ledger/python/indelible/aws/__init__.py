# SPDX-License-Identifier: Apache-2.0
"""The ports, on S3, DynamoDB and Secrets Manager. Each method's docstring names its IAM permission."""
