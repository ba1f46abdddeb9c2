"""What a spoilt server does with a request; each act is handed to FaultServer.acts."""

import time

from tests._server import Act, Handler, send


def untagged(handler: Handler) -> None:
    """Serve it without saying which version it is."""
    send(handler, tag=False)


def without_ranges(handler: Handler) -> None:
    """Serve it from its start, whatever is asked for."""
    send(handler, ranges=False)


def redirect(target: str) -> Act:
    """Send the client elsewhere."""
    return lambda handler: handler.start(302, "text/plain", Content_Length="0", Location=target)


def drop_every(size: int, hard: bool = False, ranges: bool = True, tag: bool = True) -> Act:
    """Break the connection after so many bytes, each time it is asked."""

    def act(handler: Handler) -> None:
        start = handler.offset() if ranges else 0
        send(handler, until=start + size, ranges=ranges, tag=tag)
        if start + size < len(handler.file()[1]):
            time.sleep(0.05 if hard else 0)
            handler.hang_up(hard)

    return act


def reset(handler: Handler) -> None:
    """Break the connection before any answer."""
    handler.hang_up(hard=True)


def chunked_cut(handler: Handler) -> None:
    """Send half the file in chunks, and no last one."""
    kind, body = handler.file()
    handler.start(200, kind, Transfer_Encoding="chunked")
    half = body[: len(body) // 2]
    handler.write(b"%x\r\n%s\r\n" % (len(half), half))
    handler.hang_up(hard=False)


def wrong_length(change: int) -> Act:
    """Announce another length than is sent."""

    def act(handler: Handler) -> None:
        kind, body = handler.file()
        handler.start(200, kind, Content_Length=str(len(body) + change))
        handler.write(body[: len(body) + min(change, 0)])
        handler.hang_up(hard=False)

    return act


def trickle(handler: Handler) -> None:
    """Send a byte at a time, for ever."""
    kind, body = handler.file()
    handler.start(200, kind, Content_Length=str(len(body)))
    for at in range(len(body)):
        if handler.server.stopping.wait(0.05):
            return
        handler.write(body[at : at + 1])


def stall(before_headers: bool) -> Act:
    """Answer nothing, or the first 100 kB and then nothing."""

    def act(handler: Handler) -> None:
        if not before_headers:
            send(handler, until=max(100_000, handler.offset()))
        handler.server.stopping.wait(30)
        handler.hang_up(hard=False)

    return act


def empty(status: int) -> Act:
    """Succeed with nothing."""
    return lambda handler: handler.start(status, handler.file()[0], Content_Length="0")


def other_file(body: bytes, tag: bool = True) -> Act:
    """Replace the file by another one, and serve that."""

    def act(handler: Handler) -> None:
        path = handler.path.split("?")[0]
        handler.server.files[path] = (handler.file()[0], body)
        send(handler, tag=tag)

    return act
