"""The decoder of camera images: zxing-wasm (MIT), fetched once a machine and held to its hash. ``python -m api.decoder``.

It comes from the registry that ``NPM_CONFIG_REGISTRY`` names, else from the one that npm is set up with.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from functools import cache
from pathlib import Path

import platformdirs

VERSION = "3.1.4"
_PATH = f"/zxing-wasm/-/zxing-wasm-{VERSION}.tgz"
_FILES = {
    "share.js": ("package/dist/es/share.js", "08868fb770b0a4e4b9eb3d717015cd5fbf3ceb06492d4cb2d2dd2739db11890f"),
    "reader/index.js": (
        "package/dist/es/reader/index.js",
        "d90c69a827aff3b7c8c8ca310efebe91671ef076f7a0ec83722bfc542814f484",
    ),
    "reader/zxing_reader.wasm": (
        "package/dist/reader/zxing_reader.wasm",
        "e8af31edb56d0522f4de74495839385ef019ba8bc90d38e5ecb2f18795d86fb2",
    ),
}
"""Name here -> name in the package, SHA-256."""
_MOST_BYTES = 50_000_000


def folder() -> Path:
    """Where it is kept, outside any checkout."""
    root = os.environ.get("LOTLINE_CACHE") or platformdirs.user_cache_dir("lotline")
    return Path(root) / f"zxing-wasm-{VERSION}"


@cache
def content(name: str) -> bytes | None:
    """A file of the decoder; None if it was not fetched, or is not what it should be."""
    path = folder() / name
    if name not in _FILES or not path.is_file():
        return None
    found = path.read_bytes()
    return found if hashlib.sha256(found).hexdigest() == _FILES[name][1] else None


def _registry() -> str:
    named = os.environ.get("NPM_CONFIG_REGISTRY", "")
    if not named:
        npm = shutil.which("npm")
        if npm is None:
            raise OSError("there is no npm that knows a registry, and NPM_CONFIG_REGISTRY names none")
        told = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)
        named = told.stdout.strip()
    if not named.startswith(("https://", "http://")):
        raise ValueError(f"{named!r} is no address of a registry")
    return named.rstrip("/")


def fetch() -> None:
    """Fetch what is missing. Raises OSError without network or registry, ValueError for a package with another content."""
    if all(content(name) is not None for name in _FILES):
        return
    content.cache_clear()
    with urllib.request.urlopen(_registry() + _PATH, timeout=120) as answer:  # noqa: S310 (_registry looks at the scheme)
        packed = answer.read(_MOST_BYTES)
    with tarfile.open(fileobj=io.BytesIO(packed)) as package:
        for name, (inside, digest) in _FILES.items():
            member = package.extractfile(inside)
            found = b"" if member is None else member.read()
            if hashlib.sha256(found).hexdigest() != digest:
                raise ValueError(f"{inside} of zxing-wasm {VERSION} is not the file that was tested")
            path = folder() / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}")
            part.write_bytes(found)
            part.replace(path)


if __name__ == "__main__":
    try:
        fetch()
    except (OSError, ValueError) as error:
        sys.exit(
            f"the decoder for cameras could not be fetched: {error}. The scanner's page works without, by wedge and by hand."
        )
