"""Tests of the gate's room: the table of routes and the rule over it."""
