"""``python -m exobridge``: the command line."""

from exobridge.cli import main

main()
