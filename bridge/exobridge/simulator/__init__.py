"""The side of Exotel, as a library."""
