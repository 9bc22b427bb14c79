"""Lots and other classes: made, used, handed over, packed loose; each statement put in or taken out again.

State is a function of the set of statements: whoever captures an event calls one of these for each quantity in it, and whoever
takes an event out of the set (an error declaration) calls the same with ``retracted_by``, in any order::

    lots.make(context, fact, element)                              # commissioned, or an output
    lots.use(context, fact, element)                               # sold, consumed, destroyed, an input
    lots.see(context, fact, element)                               # named, no more
    lots.hand_over(context, fact, element)                         # shipped, received, accepted, shipping taken back
    lots.pack(context, fact, parent, element)                      # a loose quantity into a parent
    lots.unpack(context, fact, parent, element)                    # and out of it
    lots.emptied(context, fact, parent, lot)                       # the parent was unpacked whole: so was this lot in it

``fact`` is the event's own (``recorded`` for one that is taken back: its ``party`` is the one that it was captured with), its
``hex`` its name on the ledger. ``retracted_by`` is the declaration's fact: exceptions that open or close by it name it. All but
``make`` with ``retracted_by`` may raise Rejection; what is taken back never does.

Whoever packs a thing calls ``pack`` after the parent is known. If the parent was unpacked whole later than that (the packing came
late), ``pack`` asks ``emptying.first_emptied_after`` and notes it. ``inside`` lists the lots that a parent's record speaks of.
"""

from chaincode.lots.custody import keys_of, keys_of_shipment
from chaincode.lots.statements import emptied, hand_over, inside, make, pack, see, unpack, use

__all__ = ["emptied", "hand_over", "inside", "keys_of", "keys_of_shipment", "make", "pack", "see", "unpack", "use"]
