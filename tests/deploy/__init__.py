"""What is in ``deploy/``: read here (``test_*``), and run by ``.ci/deploy-check`` (``check_*``)."""
