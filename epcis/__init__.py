"""The language of goods: GS1 identifiers, EPCIS 2.0 events, canonical form and event hash. No I/O."""
