"""The stand-in for an Exotel account."""
