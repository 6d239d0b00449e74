"""What `evaluate` and `calibrate` do with files: hear them, draw figures, write pages."""
