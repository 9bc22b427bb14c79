"""What an importer made, onto the ledger: in full transactions, and each verdict to what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from lotline.delivery import Delivery

_UNDER_WAY = 2
Said = TypeVar("Said")
Judged = Callable[[Said, dict[str, Any]], None]
"""Takes what was said and the contract's verdict on it."""


async def hand_over(
    delivery: Delivery,
    parts: Iterable[tuple[str, Sequence[Said]]],
    stored: Callable[[Said], bytes],
    judged: Judged[Said],
    progress: Callable[[int], None],
) -> None:
    """Capture parts, each of one organisation and small enough for a transaction; the next is made while the ledger takes the one
    before. One event that is refused holds up no other."""
    under_way: list[tuple[str, Sequence[Said]]] = []
    for msp_id, part in parts:
        job_id = await delivery.capture(msp_id, [stored(said) for said in part], on_error="proceed")
        under_way.append((job_id, part))
        if len(under_way) > _UNDER_WAY:
            await _settle(delivery, *under_way.pop(0), judged, progress)
    for job_id, part in under_way:
        await _settle(delivery, job_id, part, judged, progress)


async def _settle(
    delivery: Delivery, job_id: str, part: Sequence[Said], judged: Judged[Said], progress: Callable[[int], None]
) -> None:
    (job,) = await delivery.on_ledger([job_id])
    verdicts: list[dict[str, Any]] | None = job.verdicts
    if verdicts is None:
        reason = job.failure.message if job.failure else "the ledger gave no verdict"
        verdicts = [{"verdict": "rejected", "detail": reason}] * len(part)
    for said, verdict in zip(part, verdicts, strict=True):
        judged(said, verdict)
    progress(len(part))
