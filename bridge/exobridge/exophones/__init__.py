"""Our ExoPhones: those of the environment, those that are kept, and what the account tells."""

from exobridge.exophones.book import BookKeeper, LiveBook
from exobridge.exophones.errors import NumberError
from exobridge.exophones.listing import OwnNumber, as_found, found_of, listing
from exobridge.exophones.service import Numbers
from exobridge.exophones.together import Exophones, open_exophones

__all__ = [
    "BookKeeper",
    "Exophones",
    "LiveBook",
    "NumberError",
    "Numbers",
    "OwnNumber",
    "as_found",
    "found_of",
    "listing",
    "open_exophones",
]
