"""Parts of scripts/train_assessment.py."""
