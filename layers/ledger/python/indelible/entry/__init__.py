# SPDX-License-Identifier: Apache-2.0
"""From an API Gateway event to a service call and back."""
