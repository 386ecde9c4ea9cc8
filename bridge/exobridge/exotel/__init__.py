"""All that knows the words of Exotel: stream messages, webhook parameters and answers."""
