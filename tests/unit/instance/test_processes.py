"""Work in other processes, whatever becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from instance.processes import BusyError, FaultError, OverrunError, Processes, UnavailableError

LONG = 60.0


@pytest.fixture
def two() -> Iterator[list[Processes]]:
    """Holds what a test makes, and closes it."""
    made: list[Processes] = []
    yield made
    for one in made:
        one.close()


async def test_it_is_done_elsewhere_and_one_process_does_all(two: list[Processes]) -> None:
    two.append(processes := Processes(1))
    pids = {await processes.run(os.getpid, seconds=LONG) for _ in range(3)}
    assert len(pids) == 1
    assert pids != {os.getpid()}
    assert processes.pids == list(pids)
    assert len(await processes.run(bytes, 10_000_000, seconds=LONG)) == 10_000_000


async def test_what_the_function_raises_is_told_and_harms_nothing(two: list[Processes]) -> None:
    two.append(processes := Processes(1))
    pid = await processes.run(os.getpid, seconds=LONG)
    with pytest.raises(FaultError, match="ZeroDivisionError"):
        await processes.run(divmod, 1, 0, seconds=LONG)
    assert await processes.run(os.getpid, seconds=LONG) == pid


async def test_one_that_was_killed_is_replaced_by_one_however_many_find_it_so(two: list[Processes]) -> None:
    two.append(processes := Processes(1))
    before = await processes.run(os.getpid, seconds=LONG)
    calls = [asyncio.create_task(processes.run(os.getpid, seconds=LONG)) for _ in range(5)]
    os.kill(before, signal.SIGKILL)
    after = set(await asyncio.gather(*calls))
    assert len(after - {before}) == 1
    assert processes.pids == list(after - {before})


async def test_what_kills_its_process_twice_is_given_up(two: list[Processes]) -> None:
    two.append(processes := Processes(1))
    with pytest.raises(UnavailableError, match="died"):
        await processes.run(signal.raise_signal, signal.SIGKILL, seconds=LONG)
    assert await processes.run(os.getppid, seconds=LONG) == os.getpid()


async def test_one_that_is_frozen_is_ended_at_the_deadline(two: list[Processes]) -> None:
    """Also while much is being sent to it, which it does not read."""
    two.append(processes := Processes(1))
    for task in ((os.getpid,), (len, b"x" * 5_000_000)):
        pid = await processes.run(os.getpid, seconds=LONG)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(OverrunError, match="took longer"):
            await processes.run(*task, seconds=0.05)
        assert processes.pids == []


async def test_what_waits_too_long_for_its_turn_is_told(two: list[Processes]) -> None:
    two.append(processes := Processes(1))
    await processes.start()
    busy = asyncio.create_task(processes.run(time.sleep, LONG, seconds=LONG))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await processes.run(os.getpid, seconds=0.05)
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    assert await processes.run(os.getppid, seconds=LONG) == os.getpid()


async def test_close_ends_what_is_under_way_and_leaves_nothing(two: list[Processes]) -> None:
    processes = Processes(2)
    await asyncio.gather(*(processes.run(os.getpid, seconds=LONG) for _ in range(2)))
    pids = processes.pids
    assert len(pids) == 2
    call = asyncio.create_task(processes.run(time.sleep, LONG, seconds=LONG))
    while processes._turn._value != 1:
        await asyncio.sleep(0)
    processes.close()
    with pytest.raises(UnavailableError):
        await call
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
