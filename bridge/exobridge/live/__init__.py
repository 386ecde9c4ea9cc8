"""What an operator sees of calls while they last, and does to them."""
