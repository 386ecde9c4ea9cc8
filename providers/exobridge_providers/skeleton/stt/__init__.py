"""The package of a vendor's speech provider, as it is written for its author."""
