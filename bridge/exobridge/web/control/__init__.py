"""The control API, ``/api/v1``: operations, who may ask for them, and what tells of them."""
