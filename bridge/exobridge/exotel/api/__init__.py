"""Exotel's REST API."""

from exobridge.exotel.api.client import ExotelApi
from exobridge.exotel.api.errors import (
    BadRequestError,
    ConflictError,
    ExotelAnswerError,
    ExotelError,
    ExotelServerError,
    ExotelStatusError,
    ExotelTimeoutError,
    ExotelUnreachableError,
    ForbiddenError,
    NoBalanceError,
    NotFoundError,
    RateLimitedError,
    UnauthorisedError,
)
from exobridge.exotel.api.models import ActiveStreams, CallDetails, ExoPhone, LegDetails
from exobridge.exotel.api.placing import CallOrder, PlacedAnswer

__all__ = [
    "ActiveStreams",
    "BadRequestError",
    "CallDetails",
    "CallOrder",
    "ConflictError",
    "ExoPhone",
    "ExotelAnswerError",
    "ExotelApi",
    "ExotelError",
    "ExotelServerError",
    "ExotelStatusError",
    "ExotelTimeoutError",
    "ExotelUnreachableError",
    "ForbiddenError",
    "LegDetails",
    "NoBalanceError",
    "NotFoundError",
    "PlacedAnswer",
    "RateLimitedError",
    "UnauthorisedError",
]
