"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A loaded machine is slow, not wrong: examples have no deadline. Failures are printed with the
# blob that repeats them.
settings.register_profile("exobridge", deadline=None, print_blob=True)
settings.load_profile("exobridge")

pytest_plugins = ["tests.leaks"]
