"""The watcher: what was changed behind the ledger's back is found and named.

    report = await audit(settings)

Blocks are verified by Fabric's own rules, world state and tables are compared with what the blocks add up to.
"""

from auditing.passing import audit
from auditing.report import Finding, Report, read_report, write_report

__all__ = ["Finding", "Report", "audit", "read_report", "write_report"]
