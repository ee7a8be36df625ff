"""Tests of the rule of attempts."""
