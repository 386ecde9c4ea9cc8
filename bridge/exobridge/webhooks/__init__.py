"""Tells the user's own system what becomes of calls: signed, at least once, in order for each call.

What is told is written as a job in the transaction that writes the fact itself
(:mod:`exobridge.webhooks.messages`), and sent by whichever process finds the job
(:mod:`exobridge.webhooks.delivery`). The jobs of a call are a line: the next is sent once the one
before it was taken, or given up.
"""
