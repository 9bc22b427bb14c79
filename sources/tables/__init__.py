"""Any table of goods movements, an ERP's export for example, becomes EPCIS events by a mapping of some twenty lines.

mapping = read_mapping(Path("movements.toml"))
for row in rows(Path("movements.csv"), mapping):
    event = event_of(row, mapping)  # or a Problem that says what is wrong with which column
"""

from sources.tables.events import Problem, TableEvent, events_of
from sources.tables.mapping import Mapping, read_mapping
from sources.tables.reading import Row, rows

__all__ = ["Mapping", "Problem", "Row", "TableEvent", "events_of", "read_mapping", "rows"]
