"""Importers: other forms of data become EPCIS events. They know the language of goods, and nothing of ledgers."""
