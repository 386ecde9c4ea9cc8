"""The control API, ``/api/v1``: operations, who may ask for them, and the pages that tell of them."""
