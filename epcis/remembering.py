"""Answers that are asked for again and again, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Answer = TypeVar("Answer")


def remember(size: int, longest: int) -> Callable[[Callable[[str], Answer]], Callable[[str], Answer]]:
    """Keep the answers to the ``size`` texts asked last, of at most ``longest`` characters: a cache of long texts would be a
    way to fill the memory."""

    def decorate(work_out: Callable[[str], Answer]) -> Callable[[str], Answer]:
        known = lru_cache(maxsize=size)(work_out)

        @wraps(work_out)
        def answer(text: str) -> Answer:
            return known(text) if len(text) <= longest else work_out(text)

        return answer

    return decorate
