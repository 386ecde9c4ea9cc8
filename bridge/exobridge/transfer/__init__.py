"""A caller is handed to a human: whom Exotel is to dial, and what it tells of that."""
