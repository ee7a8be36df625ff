"""The OptiLLM lane: approaches, prompt tags, wire fields, lineage, topology; rules only, no LiteLLM."""
