"""
A gateway under a mixed load for a long time: memory, descriptors, series and rows stay flat, counts are true.

`python -m tests.soak.command` is `make soak`; stock LiteLLM runs beside it under the same load.
"""
