"""Downloads that are whole and checked, or not there.

A file of gigabytes comes over a connection that stalls, breaks and now and then delivers a wrong byte. What
has arrived stays beside the final name as `NAME.part` and is continued there (HTTP `Range`), by the next
attempt or by the next call. It is continued only if the bytes can be known to be of the same file: by a
stated checksum, or by the server's validator (ETag or date, kept in `NAME.part.tag`, sent as `If-Range`).
Otherwise it starts again. The final name appears when length and checksum are right.

Where nobody states a checksum, the first download records its SHA-256 in `NAME.sha256` (the format of
`sha256sum`), says so in its result, and every later call compares with it.

Nothing here trusts the server: no more bytes are taken than were announced, every wait has a time limit, and
an address must be http or https. A mirror is the address of a folder that holds the same files under the same
names; what comes from it is held to the same checksums.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blsh.files.atomic import require_free_space, write_text
from blsh.files.fail_points import fail_point

Progress = Callable[[int, int], None]

_BLOCK = 1 << 18
_LONGEST_WAIT_S = 30.0
# A server that announces no length could send for ever.
_MOST_BYTES = 1 << 37
_LENGTHS = {"md5": 32, "sha256": 64}
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Download:
    """A file that is there and right.

    Attributes
    ----------
    path : Path
        The file.
    n_bytes : int
        Its length.
    sha256 : str
        Its SHA-256.
    checked : str
        'stated': its checksum is the one that the caller gave; 'recorded': the one of an earlier download;
        'first': there was none, and this one was recorded.
    was_there : bool
        Whether it was there before, so that nothing was fetched.
    """

    path: Path
    n_bytes: int
    sha256: str
    checked: str
    was_there: bool


def download(
    address: str,
    path: Path,
    *,
    checksum: str = "",
    n_bytes: int | None = None,
    mirror: str = "",
    progress: Progress | None = None,
    timeout_s: float = 30.0,
    n_attempts: int = 6,
    wait_s: float = 1.0,
) -> Download:
    """Fetch a file, or check the one that is there.

    Parameters
    ----------
    address : str
        Its http or https address.
    path : Path
        Where it goes; its name is also the one that is asked for on a mirror.
    checksum : str, optional
        `sha256:HEX` or `md5:HEX`.
    n_bytes : int, optional
        Its length, where known.
    mirror : str, optional
        Address of a folder from which to fetch it instead.
    progress : callable, optional
        Called with (bytes there, bytes in all), the latter 0 while unknown.
    timeout_s : float > 0
        Longest wait in seconds for a connection, and for the next bytes.
    n_attempts : int >= 1
        Attempts in a row that bring nothing new before giving up.
    wait_s : float >= 0
        Pause in seconds after the first such attempt; it doubles with each, up to half a minute.

    Returns
    -------
    Download

    Raises
    ------
    FileNotFoundError
        If the server has no such file.
    ConnectionError
        If the attempts are used up; what has arrived is kept and continued by the next call.
    ValueError
        If an argument is invalid, the length or the checksum is not the stated one, the server refuses, or
        another process is fetching the same file.
    OSError
        With `errno.ENOSPC`, if the disk has no room for it.
    """
    path = Path(path)
    _check(address, checksum, n_bytes, timeout_s, n_attempts, wait_s)
    if mirror:
        _check(mirror, "", None, timeout_s, n_attempts, wait_s)
        address = f"{mirror.rstrip('/')}/{urllib.parse.quote(path.name)}"
    if path.exists():
        return _accept(path, path, checksum, n_bytes, was_there=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _beside(path, ".part")
    with open(part, "ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{part} is being written by another process: wait for it") from None
        if not part.exists() or not os.path.samestat(os.fstat(handle.fileno()), part.stat()):
            raise ValueError(f"{path} was fetched by another process at this moment: run this again")
        fetch = _Fetch(address, part, handle, checksum, n_bytes, progress, timeout_s)
        try:
            return _fetch_right(fetch, path, n_attempts, wait_s)
        finally:
            # What has arrived is kept for the next call; nothing is nothing to keep.
            if part.exists() and not fetch.there():
                fetch.restart()
                part.unlink()


def recorded_checksum(path: Path) -> Path:
    """Name the file that holds the checksum of the first download, where nobody states one."""
    return _beside(Path(path), ".sha256")


@dataclass
class _Fetch:
    """One file on its way: where it comes from, and what of it is there."""

    address: str
    part: Path
    handle: BinaryIO
    checksum: str
    n_bytes: int | None
    progress: Progress | None
    timeout_s: float

    def there(self) -> int:
        return self.handle.seek(0, os.SEEK_END)

    def restart(self) -> None:
        self.handle.truncate(0)
        self.handle.seek(0)
        _beside(self.part, ".tag").unlink(missing_ok=True)


def _fetch_right(fetch: _Fetch, path: Path, n_attempts: int, wait_s: float) -> Download:
    """Fetch, check and name the file; a wrong one is fetched a second time, in full.

    A wrong byte may have come with an earlier attempt, or with an earlier call.
    """
    for is_last in (False, True):
        _fetch_whole(fetch, n_attempts, wait_s)
        fetch.handle.flush()
        os.fsync(fetch.handle.fileno())
        try:
            found = _accept(fetch.part, path, fetch.checksum, fetch.n_bytes, was_there=False)
        except ValueError:
            fetch.restart()
            if is_last:
                raise
        else:
            os.replace(fetch.part, path)
            _beside(fetch.part, ".tag").unlink(missing_ok=True)
            return found
    raise AssertionError("unreachable: the second round returns or raises")


def _fetch_whole(fetch: _Fetch, n_attempts: int, wait_s: float) -> None:
    most, failed = fetch.there(), 0
    while True:
        try:
            if _fetch_once(fetch):
                return
            problem = "the connection ended early"
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    raise FileNotFoundError(
                        f"{fetch.address} is not there (HTTP {error.code}): name a mirror that holds "
                        f"{fetch.part.stem}, or put the file beside by hand"
                    ) from None
                if error.code == 416:  # all of it is there, or more: then it is another file
                    if error.headers.get("Content-Range", "") == f"bytes */{fetch.there()}":
                        return
                    fetch.restart()
                elif error.code not in _TRANSIENT:
                    raise ValueError(f"{fetch.address} is refused (HTTP {error.code}): name a mirror") from None
                problem = f"HTTP {error.code}"
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            # It may be what the server said.
            problem = f"{ascii(str(reason))[1:-1] or type(error).__name__:.200}"
        there = fetch.there()
        # Attempts that bring something new do not count; there are at most so many bytes to bring.
        failed = 0 if there > most else failed + 1
        most = max(most, there)
        if failed >= n_attempts:
            raise ConnectionError(
                f"{fetch.address} failed {failed} times in a row ({problem}), {there} bytes are kept in "
                f"{fetch.part}: try again to continue, or name a mirror"
            )
        time.sleep(min(wait_s * 2.0 ** min(failed, 60), _LONGEST_WAIT_S))


def _fetch_once(fetch: _Fetch) -> bool:
    """One request; whether the file is whole after it."""
    tag_path = _beside(fetch.part, ".tag")
    tag = tag_path.read_text(encoding="ascii", errors="replace") if tag_path.exists() else ""
    tag = tag if _is_tag(tag) else ""
    there = fetch.there()
    if there and not tag and not fetch.checksum:
        fetch.restart()
        there = 0
    if fetch.n_bytes is not None and there == fetch.n_bytes:
        return True
    headers = {"User-Agent": "blsh", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
        if tag:
            headers["If-Range"] = tag
    request = urllib.request.Request(fetch.address, headers=headers)
    with _opener().open(request, timeout=fetch.timeout_s) as response:
        start, total = _extent(response)
        if start not in (0, there):
            raise ConnectionError(f"the server answers from byte {start} when asked for {there}")
        if start == 0:
            fetch.restart()
        if total is not None and fetch.n_bytes not in (None, total):
            raise ValueError(
                f"{fetch.address} has {total} bytes where {fetch.n_bytes} are expected: it is another file, "
                f"name a mirror that holds the right one"
            )
        _keep_tag(tag_path, response)
        total = fetch.n_bytes if total is None else total
        if total is not None:
            require_free_space(fetch.part.parent, total - start, fetch.part.stem)
        _receive(fetch, response, start, total)
    # Without an announced length the end of the answer is the end of the file.
    return total is None or fetch.there() == total


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follow redirections; one that leads to no address is the server's fault."""

    def http_error_302(self, req, fp, code, msg, headers):
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError as error:
            fp.close()
            raise ConnectionError(f"the server redirects to no address, {error}") from None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Open http and https and nothing else, wherever a server redirects to."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        _Redirections,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _receive(fetch: _Fetch, response: http.client.HTTPResponse, there: int, total: int | None) -> None:
    most = _MOST_BYTES if total is None else total
    # `read1` returns what has arrived, so a slow line is seen to move, and each wait has its own time limit.
    while there < most and (block := response.read1(min(_BLOCK, most - there))):
        fetch.handle.write(block)
        there += len(block)
        fail_point("download.block")
        if fetch.progress is not None:
            fetch.progress(there, total or 0)
    fetch.handle.flush()
    if total is None and there >= most:
        raise ValueError(f"{fetch.address} sends more than {most} bytes without saying how many: name a mirror")


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """First byte of an answer, and the length of the whole file where it is said."""
    length = response.headers.get("Content-Length", "")
    if response.status != 206:
        return 0, int(length) if re.fullmatch("[0-9]{1,15}", length) else None
    match = re.fullmatch(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)", response.headers.get("Content-Range", ""))
    if match is None:
        raise ConnectionError("the server answers with a part and does not say which")
    return int(match[1]), int(match[2]) if match[2] != "*" else None


def _keep_tag(path: Path, response: http.client.HTTPResponse) -> None:
    tag = response.headers.get("ETag", "")
    # A weak validator promises the same meaning, not the same bytes (RFC 9110, 8.8.1).
    tag = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    if _is_tag(tag):
        write_text(path, tag)
    else:
        path.unlink(missing_ok=True)


def _is_tag(text: str) -> bool:
    """Whether a text can be sent as a header's value."""
    return bool(text) and text.isascii() and text.isprintable()


def _accept(file: Path, path: Path, checksum: str, n_bytes: int | None, *, was_there: bool) -> Download:
    """Check a whole file against what is stated, or recorded, of the file `path`."""
    length = file.stat().st_size
    if n_bytes not in (None, length):
        raise ValueError(f"{path} has {length} bytes where {n_bytes} are expected: remove it and fetch it again")
    digests = {"sha256": hashlib.sha256()}
    algorithm, _, stated = checksum.partition(":")
    if checksum:
        digests[algorithm] = hashlib.new(algorithm, usedforsecurity=False)
    with open(file, "rb") as handle:
        while block := handle.read(_BLOCK):
            for digest in digests.values():
                digest.update(block)
    sha256 = digests["sha256"].hexdigest()
    record = recorded_checksum(path)
    checked = "stated"
    if not checksum:
        checked = "recorded" if record.exists() else "first"
        algorithm, stated = (
            "sha256",
            record.read_text(encoding="ascii", errors="replace")[:64] if record.exists() else sha256,
        )
    found = digests[algorithm].hexdigest()
    if found != stated:
        where = "stated" if checksum else f"recorded in {record}"
        raise ValueError(
            f"{path} has the {algorithm} {found} where {stated} is {where}: remove it and fetch it again, "
            f"or name a mirror"
        )
    if checked == "first":
        write_text(record, f"{sha256}  {path.name}\n")
    return Download(path, length, sha256, checked, was_there)


def require_address(address: str) -> None:
    """Raise ValueError if this is no http or https address."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or not address.isascii() or " " in address:
        raise ValueError(f"address={address!r} is no http or https address")


def _check(address: str, checksum: str, n_bytes: int | None, timeout_s: float, n_attempts: int, wait_s: float) -> None:
    require_address(address)
    algorithm, _, stated = checksum.partition(":")
    if checksum and not (algorithm in _LENGTHS and re.fullmatch(f"[0-9a-f]{{{_LENGTHS[algorithm]}}}", stated)):
        raise ValueError(f"checksum={checksum!r} is not sha256: or md5: with lower-case hexadecimal digits")
    if n_bytes is not None and n_bytes < 1:
        raise ValueError(f"n_bytes={n_bytes} must be at least 1")
    if not (timeout_s > 0 and n_attempts >= 1 and wait_s >= 0):
        raise ValueError(f"timeout_s={timeout_s}, n_attempts={n_attempts}, wait_s={wait_s}: need > 0, >= 1 and >= 0")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
