# SPDX-License-Identifier: Apache-2.0
"""How a client proves its AWS identity to a ledger deployed with `auth=iam`."""

from __future__ import annotations

from collections.abc import Generator

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError


class AwsIdentity(httpx.Auth):
    """Signs requests with AWS Signature Version 4, for the service `execute-api`.

    The credentials are those of `session`, or what the AWS SDK finds by itself; they are renewed as it renews them.
    Signing raises botocore's NoCredentialsError when there are none.
    """

    requires_request_body = True

    def __init__(self, *, region: str, session: boto3.Session | None = None) -> None:
        self._region = region
        self._session = session or boto3.Session()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request and send it once (httpx calls this). Makes no other request."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        signed = AWSRequest(method=request.method, url=str(request.url), data=request.content)
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request
