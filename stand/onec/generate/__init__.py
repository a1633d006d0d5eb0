"""A believable trade base, made from a seed: the same seed and sizes always give the same base, byte for byte."""
