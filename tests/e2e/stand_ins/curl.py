# SPDX-License-Identifier: Apache-2.0
"""As much of curl as the documentation uses: `curl -sS URL [-H HEADER]… [--data-binary TEXT|@-]`."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request


def main() -> None:
    """GET, or POST the data, and print the answer, whatever its status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", dest="silent", action="store_true", required=True)
    parser.add_argument("-S", dest="show_error", action="store_true", required=True)
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("--data-binary")
    given = parser.parse_args()
    data = sys.stdin.buffer.read() if given.data_binary == "@-" else given.data_binary and given.data_binary.encode()
    headers = dict(header.split(": ", 1) for header in given.headers)
    request = urllib.request.Request(given.url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refused:
        sys.stdout.buffer.write(refused.read())


main()
