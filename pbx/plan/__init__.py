"""What dialplan.yaml says: `loader.py` reads and checks it, `model.py` holds the result."""
