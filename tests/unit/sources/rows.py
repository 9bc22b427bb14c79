"""A row of the SCMS record as the file has it."""

from __future__ import annotations

from sources.scms.lines import Line, usable

ROW = {
    "ID": "1", "Project Code": "100-CI-T01", "PQ #": "Pre-PQ Process", "PO / SO #": "SCMS-4",
    "ASN/DN #": "ASN-8",
    "Country": "CÃ´te d'Ivoire",
    "Managed By": "PMO - US", "Fulfill Via": "Direct Drop", "Vendor INCO Term": "EXW",
    "Shipment Mode": "Air", "PQ First Sent to Client Date": "Pre-PQ Process",
    "PO Sent to Vendor Date": "Date Not Captured", "Scheduled Delivery Date": "2006-06-02",
    "Delivered to Client Date": "2006-06-02", "Delivery Recorded Date": "2006-06-02", "Product Group": "HRDT",
    "Sub Classification": "HIV test", "Vendor": "RANBAXY Fine Chemicals LTD.",
    "Item Description": "HIV, Reveal G3 Rapid HIV-1 Antibody Test, 30 Tests",
    "Molecule/Test Type": "HIV, Reveal G3 Rapid HIV-1 Antibody Test", "Brand": "Reveal", "Dosage": "",
    "Dosage Form": "Test kit", "Unit of Measure (Per Pack)": "30", "Line Item Quantity": "19",
    "Line Item Value": "551.0", "Pack Price": "29.0", "Unit Price": "0.97",
    "Manufacturing Site": "Ranbaxy Fine Chemicals LTD", "First Line Designation": "Yes",
    "Weight (Kilograms)": "13", "Freight Cost (USD)": "780.34", "Line Item Insurance (USD)": "",
}  # fmt: skip


def row(**changes: str) -> dict[str, str]:
    """The row with some cells changed; names with ``_`` for the spaces: ``Fulfill_Via``."""
    return ROW | {name.replace("_", " "): value for name, value in changes.items()}


def line(changes: dict[str, str] | None = None) -> Line:
    """The row as a `Line`, with some cells changed."""
    made = usable(ROW | (changes or {}), 2)
    assert isinstance(made, Line), made
    return made


RDC = {
    "Fulfill Via": "From RDC", "Vendor": "SCMS from RDC", "Vendor INCO Term": "N/A - From RDC",
    "PO / SO #": "SO-298", "ASN/DN #": "DN-304", "PO Sent to Vendor Date": "N/A - From RDC",
    "Shipment Mode": "Truck",
}  # fmt: skip
