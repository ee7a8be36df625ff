"""Requests through OptiLLM as LiteLLM makes them: roots, children, tokens, and what leaves for OptiLLM."""
