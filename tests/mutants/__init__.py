"""Do the tests notice when the contract is changed? `make mutants`; not tests themselves.

Each change is made alone, in a copy of the sources, and the unit tests of its folder are run until one fails. A change that none notices is a
rule that nobody holds: it gets a test, or the code that it changes is not needed.
"""
