"""Do the tests notice? Faults put into the rules one at a time, in a copy of the source.

A line that a test runs is not a line that a test would miss. Each mutation is a fault that would
hurt a caller: a wrong sign, limit or order. The tests of its module have to fail on it.
"""
