"""Streams that can be left at any moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

Item = TypeVar("Item")


async def until(stopping: asyncio.Event, stream: AsyncIterator[Item]) -> AsyncGenerator[Item, None]:
    """The stream's items until the event is set.

    gRPC does not wake up a stream whose channel is closed before it is connected, so waiting is done here.
    """
    stopped = asyncio.ensure_future(stopping.wait())
    upcoming: asyncio.Future[Item] | None = None
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(stream))
            await asyncio.wait({stopped, upcoming}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                return
            try:
                item = upcoming.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        for waiting in (stopped, upcoming):
            if waiting is not None:
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await waiting
