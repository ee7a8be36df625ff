"""`litellm-homelab sync`: a registry of models, and OptiLLM's ensembles, brought into router.yaml."""
