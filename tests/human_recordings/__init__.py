"""Recordings as callers: all with ``make recordings``, a sample of them in ``make test``."""
