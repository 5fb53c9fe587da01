"""The exactly-once loop: records in, one transaction, messages out.

``records`` names what flows, ``writer`` opens transactions, ``relay`` publishes what they said, ``loop`` drives a stage,
``positions`` and ``dead_letters`` keep what the loop must remember.
"""
