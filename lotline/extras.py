"""The parts that are installed only where they are wanted: `pip install 'lotline[api,ui]'`."""

from __future__ import annotations

import importlib.util

from lotline.errors import UnavailableError

EXTRAS = {
    "api": ("fastapi", "httptools", "prometheus_client", "starlette", "uvicorn"),
    "fabric": ("grpc",),
    "forecast": (
        "holidays",
        "lightgbm",
        "numpy",
        "pandas",
        "prophet",
        "pyarrow",
        "sklearn",
        "statsforecast",
        "statsmodels",
    ),
    "postgres": ("psycopg",),
    "ui": ("altair", "httpx", "streamlit"),
}
"""Each extra, and the modules that come with it."""


def extra_of(module: str) -> str | None:
    """The extra that a module comes with; None for what is always there, or not Lotline's."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if top in modules), None)


def how_to_get(*extras: str) -> str:
    """What to type."""
    return f"pip install 'lotline[{','.join(extras)}]' adds it to this environment."


def require(what: str, extra: str, hint: str = "") -> None:
    """Raises `UnavailableError` where ``what`` needs an extra that is not installed."""
    missing = next((module for module in EXTRAS[extra] if importlib.util.find_spec(module) is None), None)
    if missing is not None:
        hint = f"{how_to_get(extra)} {hint}".strip()
        raise UnavailableError(f"{what} needs the extra {extra!r}: {missing} is not installed", hint=hint)
