"""Instances: what moves one by one. Their state is a fold over all that was said of them (fold.py), in the order of what was told.

``statements`` turns an event into entries of the histories of the things it names, ``settle`` puts them there and writes what
follows: things' records, what is in what, handoffs, exceptions.
"""
