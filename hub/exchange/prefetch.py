"""Read ahead of the writer: hides the source's latency while keeping memory flat."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

from hub.model.records import Page

PAGES = 3
BYTES = 24 * 1024 * 1024
_WAIT = 0.2


class _Done:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(pages: Iterator[Page], limit: int = PAGES, max_bytes: int = BYTES) -> Generator[Page, None, None]:
    """The same pages in the same order, read by one thread at most ``limit`` pages or ``max_bytes`` ahead.

    An error of the source is raised here after the pages before it have been delivered. Closing this iterator closes
    the source's, in the thread that reads it.
    """
    ready: queue.Queue[Page | _Done] = queue.Queue()
    room = threading.Condition()
    ahead = {"pages": 0, "bytes": 0}
    stop = threading.Event()

    def put(page: Page) -> None:
        with room:
            while not stop.is_set() and (ahead["pages"] >= limit or (ahead["pages"] and ahead["bytes"] >= max_bytes)):
                room.wait(_WAIT)
            ahead["pages"] += 1
            ahead["bytes"] += page.nbytes
        ready.put(page)

    def read() -> None:
        error: BaseException | None = None
        try:
            for page in pages:
                put(page)
                if stop.is_set():
                    break
        except BaseException as caught:  # noqa: BLE001 - handed over to the consumer, whatever it is
            error = caught
        finally:
            close = getattr(pages, "close", None)
            if close is not None:
                close()
            ready.put(_Done(error))

    thread = threading.Thread(target=read, name="obmen-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, _Done):
                if item.error is not None:
                    raise item.error
                return
            with room:
                ahead["pages"] -= 1
                ahead["bytes"] -= item.nbytes
                room.notify()
            yield item
    finally:
        stop.set()
        with room:
            room.notify()
        thread.join(timeout=30)
