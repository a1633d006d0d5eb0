"""What the first migration creates, spelled out: later changes of the model do not reach back here."""
