"""A limit on wrong tokens, so that nobody finds one by trying."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv6Network, ip_address
from math import ceil
from typing import TypeVar

from starlette.requests import Request

from cli.service.errors import TooManyError, UnauthorizedError

Key = TypeVar("Key")
Value = TypeVar("Value")

# Wrong tokens of one address in so many seconds.
MOST_WRONG, WINDOW = 20, 60
# Addresses and right tokens that are remembered; the oldest are forgotten first.
MOST_REMEMBERED = 10_000
# Bits that the addresses of one IPv6 network have in common.
NETWORK = 64


@dataclass
class Attempts:
    """Wrong tokens and cookies by address.

    An address behind which there are many people, such as that of a proxy, does not lock out those whose token or
    cookie was right before.
    """

    _wrong: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    _right: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def checked(self, address: str, secret: str, check: Callable[[], Value]) -> Value:
        """What a check of a secret returns, such as the user with a token.

        Args:
            address: where the request comes from.
            secret: its token or cookie, or the secret of a webhook.
            check: checks the secret, and raises `UnauthorizedError` if it is wrong.

        Raises:
            TooManyError: too many wrong ones came from this address.
            UnauthorizedError: this one is wrong.
        """
        digest, now = sha256(secret.encode(errors="surrogateescape")).digest(), time.monotonic()
        ends, count = self._wrong.get(address, (0.0, 0))
        if now >= ends:
            ends, count = now + WINDOW, 0
        if count >= MOST_WRONG and digest not in self._right:
            raise TooManyError("too many wrong tokens came from this address; try again later.", ceil(ends - now))
        try:
            value = check()
        except UnauthorizedError:
            _remember(self._wrong, address, (ends, count + 1))
            raise
        _remember(self._right, digest, None)
        return value


def address_of(request: Request) -> str:
    """Where a request comes from; empty if that is unknown. For IPv6, the network: a machine has all its addresses."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        # A proxy may pass on whatever a client sends.
        return ""
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(IPv6Network((int(address), NETWORK), strict=False)) if address.version == 6 else str(address)


def _remember(values: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    values[key] = value
    if len(values) > MOST_REMEMBERED:
        values.popitem(last=False)
