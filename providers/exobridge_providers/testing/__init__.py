"""For tests of providers and of what uses them: the contract suite, and fakes with faults.

Public: the author of an outside package runs the same checks over his provider.
"""
