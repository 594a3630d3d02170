"""What runs a model: the contract in base.py and one file a runner."""
