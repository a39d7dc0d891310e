# SPDX-License-Identifier: Apache-2.0
"""The modules of `entry.bootstrap`, each of which makes what it makes once in a process: here it is forgotten."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from indelible.entry import bootstrap

MODULES = {one.name: import_module(f"{bootstrap.__name__}.{one.name}") for one in iter_modules(bootstrap.__path__)}


def forget() -> None:
    """Let everything be made again."""
    for module in MODULES.values():
        for made_once in vars(module).values():
            if hasattr(made_once, "cache_clear"):
                made_once.cache_clear()
