"""The rule of attempts: what leaves for an upstream is the chosen deployment's own address, key and model."""
