"""Connections: a client that does not say what it wants does not hold one for long."""

from asyncio import TimerHandle, Transport

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds in which the headers of a request must arrive, and bytes in which they must end: addresses of forms are long.
HEADER_SECONDS, LONGEST_HEADERS = 20, 64 * 2**10


class Connection(H11Protocol):
    """An HTTP connection that is closed when the headers of a request do not arrive in time.

    Uvicorn has no limit for that. Where httptools is installed, uvicorn would prefer it to h11. But h11 refuses headers
    that do not end within a limit, and httptools takes any number of bytes.
    """

    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._limit_wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes. Those of headers that are not complete do not extend the time for them."""
        super().data_received(data)
        self._limit_wait()

    def _limit_wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = None
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)
