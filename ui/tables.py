"""Tables, on the page and as files: what is in a cell came from many organisations, and a spreadsheet may open it.

The page's tables can be downloaded from their own toolbar, so what a spreadsheet could take for a formula is marked
there as well.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, and the same signs in full width."""


def table(frame: pd.DataFrame, where: Any = st, **options: Any) -> Any:
    """A table as wide as the page, or as the column ``where``; ``options`` are those of ``st.dataframe``."""
    return where.dataframe(harmless(frame), hide_index=True, width="stretch", **options)


def csv(frame: pd.DataFrame) -> str:
    """As CSV in which no cell can be taken for a formula by a spreadsheet."""
    return str(harmless(frame).to_csv(index=False))


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with an apostrophe before what could be a formula."""
    safe = frame.copy()
    for column in safe.select_dtypes(["object", "string"]):
        safe[column] = safe[column].map(_cell)
    return safe


def _cell(value: Any) -> Any:
    """Text on one line: a bare carriage return would begin a row, and that row a formula."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(_FORMULA) else line
