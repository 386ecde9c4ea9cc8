"""Our ExoPhones: those of the environment, those that are kept, and what the account tells."""

from exobridge.exophones.book import LiveBook

__all__ = ["LiveBook"]
