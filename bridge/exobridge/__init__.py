"""exobridge joins Exotel phone calls to voice AI."""
